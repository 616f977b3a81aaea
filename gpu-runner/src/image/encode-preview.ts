import { CONTENT_TYPES } from '@nextscale/openapi'
import sharp from 'sharp'
import type { EncodedPicture } from './encode.ts'

const MAX_SIDE = 256
const QUALITY = 70

export interface EncodedPreview extends EncodedPicture {
  /** Width and height in pixels. */
  side: number
}

/** Encodes RGB pixels [side, side, 3] as a small WebP: it is looked at while the picture is made, and then not again. */
export const encodePreview = async (pixels: Uint8Array, side: number): Promise<EncodedPreview> => {
  const image = sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
  if (side > MAX_SIDE) image.resize(MAX_SIDE)
  // Effort 1 of 6: half the time of the default for a few bytes more.
  const bytes = await image.webp({ quality: QUALITY, effort: 1 }).toBuffer()
  return { bytes, contentType: CONTENT_TYPES.webp, side: Math.min(side, MAX_SIDE) }
}
