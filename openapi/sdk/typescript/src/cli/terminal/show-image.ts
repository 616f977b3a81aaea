import { type ColorDepth, halfBlocks, type Pixels } from './half-blocks.ts'

/** How a terminal shows pictures: by a protocol of its own, or as coloured half blocks. */
export type ImageProtocol = 'kitty' | 'iterm2' | ColorDepth

/** Lines of text a picture is as high as. */
const ROWS = 8
/** Most pixels that half blocks show of a side. */
const SIDE = 32
/** Most base64 in one command of the kitty protocol. */
const CHUNK = 4096
const PNG = [0x89, 0x50, 0x4e, 0x47]

const isPng = (bytes: Uint8Array): boolean => PNG.every((byte, index) => bytes[index] === byte)

interface SharpImage {
  png(): SharpImage
  resize(options: { width: number; height: number; fit: 'inside' }): SharpImage
  removeAlpha(): SharpImage
  toColourspace(space: 'srgb'): SharpImage
  raw(): SharpImage
  toBuffer(): Promise<Uint8Array>
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: { width: number; height: number } }>
}

/** Previews are WebP, which Node cannot read: the library sharp can, where it is installed, as in the repository. */
const openImage = async (bytes: Uint8Array): Promise<SharpImage> => {
  const name: string = 'sharp'
  const sharp = (await import(name)) as { default: (bytes: Uint8Array) => SharpImage }
  return sharp.default(bytes)
}

const toPng = async (bytes: Uint8Array): Promise<Uint8Array> => (isPng(bytes) ? bytes : (await openImage(bytes)).png().toBuffer())

const toPixels = async (bytes: Uint8Array, columns: number): Promise<Pixels> => {
  const side = Math.max(1, Math.min(SIDE, columns))
  const image = (await openImage(bytes)).resize({ width: side, height: side, fit: 'inside' })
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

const kitty = (png: Uint8Array): string => {
  const chunks =
    Buffer.from(png)
      .toString('base64')
      .match(new RegExp(`.{1,${CHUNK}}`, 'g')) ?? []
  return chunks
    .map((chunk, index) => {
      const first = index === 0 ? `a=T,f=100,q=2,r=${ROWS},` : ''
      return `\u001B_G${first}m=${index < chunks.length - 1 ? 1 : 0};${chunk}\u001B\\`
    })
    .join('')
}

const iterm2 = (bytes: Uint8Array): string => {
  const settings = `inline=1;size=${bytes.length};height=${ROWS};preserveAspectRatio=1`
  return `\u001B]1337;File=${settings}:${Buffer.from(bytes).toString('base64')}\u0007`
}

/** What to write for a terminal to show a picture; `undefined` where it cannot: without sharp, iTerm2 alone reads WebP. */
export const showImage = async (bytes: Uint8Array, protocol: ImageProtocol, columns: number): Promise<string | undefined> => {
  try {
    if (protocol === 'kitty') return kitty(await toPng(bytes))
    if (protocol === 'iterm2') return iterm2(await toPng(bytes).catch(() => bytes))
    return halfBlocks(await toPixels(bytes, columns), protocol)
  } catch {
    return undefined
  }
}
