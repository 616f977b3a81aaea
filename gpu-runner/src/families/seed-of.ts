const UINT32 = 2 ** 32

/** Seed of picture `index` of a generation that was given `seed`. */
export const seedOf = (seed: number, index: number): number => (seed + index) % UINT32
