/** Lines of text a picture is as high as. */
const ROWS = 8
/** Most base64 in one command of the kitty protocol. */
const CHUNK = 4096
const PNG = [0x89, 0x50, 0x4e, 0x47]

const isPng = (bytes: Uint8Array): boolean => PNG.every((byte, index) => bytes[index] === byte)

interface Sharp {
  default: (bytes: Uint8Array) => { png(): { toBuffer(): Promise<Uint8Array> } }
}

/** Previews are WebP. Where the library sharp is installed, as in the repository, they become PNG, which every terminal knows. */
const toPng = async (bytes: Uint8Array): Promise<Uint8Array | undefined> => {
  if (isPng(bytes)) return bytes
  const name: string = 'sharp'
  try {
    const sharp = (await import(name)) as Sharp
    return await sharp.default(bytes).png().toBuffer()
  } catch {
    return undefined
  }
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

/** What to write for a terminal to show a picture; `undefined` where it cannot: kitty shows nothing but PNG. */
export const showImage = async (bytes: Uint8Array, protocol: 'kitty' | 'iterm2'): Promise<string | undefined> => {
  const png = await toPng(bytes)
  if (protocol === 'iterm2') return iterm2(png ?? bytes)
  return png && kitty(png)
}
