import { CONTENT_TYPES } from '@nextscale/openapi'
import sharp from 'sharp'
import type { EncodedPicture } from './encode.ts'
import type { Picture } from './picture.ts'

/** Of width and height the larger, in pixels. */
const MAX_PIXELS = 256
const QUALITY = 70

export interface EncodedPreview extends EncodedPicture {
  /** In pixels. */
  width: number
  /** In pixels. */
  height: number
}

/** Encodes a picture as a small WebP of its shape: it is looked at while the picture is made, and then not again. */
export const encodePreview = async ({ pixels, width, height }: Picture): Promise<EncodedPreview> => {
  const image = sharp(pixels, { raw: { width, height, channels: 3 } })
  if (Math.max(width, height) > MAX_PIXELS) image.resize(MAX_PIXELS, MAX_PIXELS, { fit: 'inside' })
  // Effort 1 of 6: half the time of the default for a few bytes more.
  const { data, info } = await image.webp({ quality: QUALITY, effort: 1 }).toBuffer({ resolveWithObject: true })
  return { bytes: data, contentType: CONTENT_TYPES.webp, width: info.width, height: info.height }
}
