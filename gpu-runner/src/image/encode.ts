import { CONTENT_TYPES, type GenerationInput } from '@nextscale/openapi'
import sharp from 'sharp'
import type { Picture } from './picture.ts'

const DEFAULT_QUALITY = 90

// One picture is small; parallelism comes from several pictures, and the cores belong to the sampler.
sharp.concurrency(1)
sharp.cache(false)

export interface EncodedPicture {
  bytes: Buffer
  contentType: string
}

/** JSON in ASCII, since EXIF text has no other characters. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * Encodes a picture as its generation asks. `settings` are written into it, where metadata are wanted: what reproduces
 * the picture, as JSON.
 */
export const encodePicture = async (
  { pixels, width, height }: Picture,
  settings: object,
  { format, quality, metadata }: GenerationInput['output']
): Promise<EncodedPicture> => {
  const image = sharp(pixels, { raw: { width, height, channels: 3 } })
  if (metadata) image.withExif({ IFD0: { Software: 'Nextscale', ImageDescription: asciiJson(settings) } })
  if (format === 'png') image.png({ compressionLevel: 6 })
  else if (format === 'webp') image.webp({ quality: quality ?? DEFAULT_QUALITY })
  else image.jpeg({ quality: quality ?? DEFAULT_QUALITY, chromaSubsampling: '4:4:4' })
  return { bytes: await image.toBuffer(), contentType: CONTENT_TYPES[format] }
}
