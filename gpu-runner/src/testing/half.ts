const SMALLEST_NORMAL_EXPONENT = -14
const FRACTION_BITS = 10

const exponentOf = (magnitude: number): number => Math.max(Math.floor(Math.log2(magnitude)), SMALLEST_NORMAL_EXPONENT)

/** The nearest number that half precision represents exactly, for magnitudes below 65504. */
export const roundToHalf = (value: number): number => {
  if (value === 0) return 0
  const step = 2 ** (exponentOf(Math.abs(value)) - FRACTION_BITS)
  return Math.round(value / step) * step
}

/** The 16 bits of a number that half precision represents exactly. */
export const halfBits = (value: number): number => {
  const magnitude = Math.abs(value)
  const sign = value < 0 ? 0x8000 : 0
  if (magnitude === 0) return sign
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00
  // The fraction of a normal number starts with a hidden one, which carries into the biased exponent; a subnormal has none.
  const exponent = exponentOf(magnitude)
  const bits = magnitude / 2 ** (exponent - FRACTION_BITS) + ((exponent - SMALLEST_NORMAL_EXPONENT) << FRACTION_BITS)
  if (!Number.isInteger(bits) || bits >= 0x7c00) throw new RangeError(`half precision does not represent ${value}`)
  return sign | bits
}

export const halfValue = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> FRACTION_BITS) & 0x1f
  const fraction = (bits & 0x3ff) / 2 ** FRACTION_BITS
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** SMALLEST_NORMAL_EXPONENT
  return sign * (1 + fraction) * 2 ** (exponent - 15)
}
