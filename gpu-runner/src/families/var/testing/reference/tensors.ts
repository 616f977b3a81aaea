/** Row-major values of float64, [rows, columns]. */
export interface Matrix {
  data: Float64Array
  rows: number
  columns: number
}

/** One picture's channels, [channels, side, side]. */
export interface FeatureMap {
  data: Float64Array
  channels: number
  side: number
}

export const matrix = (rows: number, columns: number, data: Float64Array = new Float64Array(rows * columns)): Matrix => {
  if (data.length !== rows * columns) throw new RangeError(`${data.length} values do not fill ${rows} x ${columns}`)
  return { data, rows, columns }
}

export const featureMap = (
  channels: number,
  side: number,
  data: Float64Array = new Float64Array(channels * side * side)
): FeatureMap => {
  if (data.length !== channels * side * side) throw new RangeError(`${data.length} values do not fill ${channels} x ${side}^2`)
  return { data, channels, side }
}

/** A view of row `index`. */
export const row = ({ data, columns }: Matrix, index: number): Float64Array =>
  data.subarray(index * columns, (index + 1) * columns)

/** Views of all rows. */
export const rowsOf = (x: Matrix): Float64Array[] => Array.from({ length: x.rows }, (_, index) => row(x, index))

/** Rows `begin` and later, as a view. */
export const rowsFrom = ({ data, rows, columns }: Matrix, begin: number): Matrix =>
  matrix(rows - begin, columns, data.subarray(begin * columns))

export const stack = (parts: readonly Matrix[]): Matrix => {
  const columns = parts[0]?.columns ?? 0
  const all = matrix(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    columns
  )
  let begin = 0
  for (const { data } of parts) {
    all.data.set(data, begin)
    begin += data.length
  }
  return all
}

/** A view of one channel, [side * side]. */
export const channel = ({ data, side }: FeatureMap, index: number): Float64Array =>
  data.subarray(index * side * side, (index + 1) * side * side)

export const addValues = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value + (b[i] ?? Number.NaN))

export const addMaps = (a: FeatureMap, b: FeatureMap): FeatureMap => featureMap(a.channels, a.side, addValues(a.data, b.data))

/** Pixels as rows: [channels, side, side] to [side * side, channels]. */
export const pixelRows = ({ data, channels, side }: FeatureMap): Matrix => {
  const pixels = side * side
  const rows = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) rows[(i % pixels) * channels + Math.floor(i / pixels)] = data[i] ?? 0
  return matrix(pixels, channels, rows)
}

/** The inverse of `pixelRows`. */
export const mapOfRows = ({ data, rows, columns }: Matrix): FeatureMap => {
  const values = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) values[(i % columns) * rows + Math.floor(i / columns)] = data[i] ?? 0
  return featureMap(columns, Math.sqrt(rows), values)
}
