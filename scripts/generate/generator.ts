/** What a generator came to; what it takes may not be on this machine. */
export type Made = { isMade: true } | { isMade: false; because: string }

export const MADE: Made = { isMade: true }

/** Something that makes files from the contract. Throws where it has all it takes and fails. */
export interface Generator {
  name: string
  /** What it writes, from the root: one file, or a folder that holds nothing else. */
  target: string
  make: () => Promise<Made>
}
