/** Pixels along a side of each token of the last scale. */
export const PIXELS_PER_TOKEN = 2

export interface TokenMap {
  height: number
  width: number
}

/** Token maps by the name of a size, coarse to fine. The first size is the default. */
export const SCALES = {
  '24x16': [
    { height: 2, width: 3 },
    { height: 4, width: 6 },
    { height: 8, width: 12 }
  ],
  '16x24': [
    { height: 3, width: 2 },
    { height: 6, width: 4 },
    { height: 12, width: 8 }
  ]
} as const satisfies Record<string, readonly TokenMap[]>

export type SizeName = keyof typeof SCALES
export const SIZE_NAMES = ['24x16', '16x24'] as const satisfies readonly SizeName[]

/** Width and height in pixels. */
export const sizeOf = (name: SizeName) => {
  const { width, height } = SCALES[name][2]
  return { width: width * PIXELS_PER_TOKEN, height: height * PIXELS_PER_TOKEN }
}

export const tokensOf = ({ height, width }: TokenMap): number => height * width
