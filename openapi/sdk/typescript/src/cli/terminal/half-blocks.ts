/** Pixels of a picture, three bytes each, row by row. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

export type ColorDepth = 'truecolor' | '256'
type Rgb = readonly [red: number, green: number, blue: number]

const UPPER_HALF = '▀'
const RESET = '\u001B[0m'
const DEFAULT_BACKGROUND = '49'
/** Levels of the cube of 6 x 6 x 6 colours, and its place in the palette. */
const LEVELS = [0, 95, 135, 175, 215, 255]
const CUBE = 16
/** The ramp of 24 greys, 10 apart from 8. */
const GREYS = 232
const LAST_GREY = 23

const nearestLevel = (value: number): number =>
  LEVELS.reduce((best, level, index) => (Math.abs(level - value) < Math.abs((LEVELS[best] ?? 0) - value) ? index : best), 0)
const distance = (one: Rgb, other: Rgb): number => one.reduce((sum, value, index) => sum + (value - (other[index] ?? 0)) ** 2, 0)

/** Number of the colour of the 256 that is nearest. */
export const paletteColor = (color: Rgb): number => {
  const [red = 0, green = 0, blue = 0] = color.map(nearestLevel)
  const inCube: Rgb = [LEVELS[red] ?? 0, LEVELS[green] ?? 0, LEVELS[blue] ?? 0]
  const mean = color.reduce((sum, value) => sum + value, 0) / color.length
  const grey = Math.min(LAST_GREY, Math.max(0, Math.round((mean - 8) / 10)))
  const level = 8 + 10 * grey
  if (distance(color, [level, level, level]) < distance(color, inCube)) return GREYS + grey
  return CUBE + 36 * red + 6 * green + blue
}

const colorAt = ({ data, width, height }: Pixels, x: number, y: number): Rgb | undefined => {
  const at = (y * width + x) * 3
  return y < height ? [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0] : undefined
}

/** A picture as lines of text, two pixels a character: the upper one is its colour, the lower one its ground's. */
export const halfBlocks = (pixels: Pixels, depth: ColorDepth): string => {
  const code = (color: Rgb) => (depth === 'truecolor' ? `2;${color.join(';')}` : `5;${paletteColor(color)}`)
  const cell = (x: number, y: number): string => {
    const upper = colorAt(pixels, x, y) ?? [0, 0, 0]
    const lower = colorAt(pixels, x, y + 1)
    return `\u001B[38;${code(upper)};${lower ? `48;${code(lower)}` : DEFAULT_BACKGROUND}m${UPPER_HALF}`
  }
  const line = (row: number) => Array.from({ length: pixels.width }, (_, x) => cell(x, 2 * row)).join('') + RESET
  return Array.from({ length: Math.ceil(pixels.height / 2) }, (_, row) => line(row)).join('\n')
}
