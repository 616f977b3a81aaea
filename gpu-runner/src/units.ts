/** A number with the unit that leaves at most three digits before the point. */
export const units = (value: number, names: readonly string[], digits: number): string => {
  let [scaled, unit] = [value, 0]
  while (scaled >= 1_000 && unit < names.length - 1) {
    scaled /= 1_000
    unit++
  }
  return `${unit === 0 ? scaled : scaled.toPrecision(digits)}${names[unit]}`
}

/** 1.24 GB */
export const formatBytes = (bytes: number): string => units(bytes, [' B', ' kB', ' MB', ' GB', ' TB'], 3)
