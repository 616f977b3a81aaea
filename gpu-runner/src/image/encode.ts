import { CONTENT_TYPES, type GenerationInput } from '@nextscale/openapi'
import sharp from 'sharp'

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

/** What reproduces the picture. It must not depend on the other pictures of its generation: same seed, same bytes. */
const settings = (input: GenerationInput, seed: number) => {
  const { model, model_revision, class_label, class_name, cfg, top_k, top_p, smooth, schedule } = input
  return asciiJson({ model, model_revision, class_label, class_name, seed, cfg, top_k, top_p, smooth, schedule })
}

/** Encodes RGB pixels [side, side, 3] as the generation asks. */
export const encodePicture = async (
  pixels: Uint8Array,
  side: number,
  seed: number,
  input: GenerationInput
): Promise<EncodedPicture> => {
  const { format, quality, metadata } = input.output
  const image = sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
  if (metadata) image.withExif({ IFD0: { Software: 'Nextscale', ImageDescription: settings(input, seed) } })
  if (format === 'png') image.png({ compressionLevel: 6 })
  else if (format === 'webp') image.webp({ quality: quality ?? DEFAULT_QUALITY })
  else image.jpeg({ quality: quality ?? DEFAULT_QUALITY, chromaSubsampling: '4:4:4' })
  return { bytes: await image.toBuffer(), contentType: CONTENT_TYPES[format] }
}
