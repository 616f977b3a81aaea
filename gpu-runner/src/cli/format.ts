import { units } from '../units.ts'

/** 310M */
export const formatCount = (count: number): string => units(count, ['', 'K', 'M', 'B'], 3)
/** 1.2 s */
export const formatSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** A longer cell would move those after it out of sight. */
const MAX_CELL_LENGTH = 300
const shortened = (cell: string) => (cell.length > MAX_CELL_LENGTH ? `${cell.slice(0, MAX_CELL_LENGTH - 1)}…` : cell)

/** A line for each row of cells, with columns aligned. */
export const formatTable = (cells: readonly (readonly string[])[]): string[] => {
  const rows = cells.map((row) => row.map(shortened))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
}
