import type { Picture } from '../../image/picture.ts'
import { SCALES, type SizeName, sizeOf } from './shape.ts'

/** A rectangle for each token. */
export const decode = (size: SizeName, scale: number, tokens: Int32Array): Picture => {
  const { width, height } = sizeOf(size)
  const map = SCALES[size][scale] ?? { height, width }
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const token = tokens[Math.floor((y * map.height) / height) * map.width + Math.floor((x * map.width) / width)] ?? 0
      pixels.set([token >> 16, (token >> 8) & 0xff, token & 0xff], (y * width + x) * 3)
    }
  }
  return { pixels, width, height }
}
