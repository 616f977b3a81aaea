import { readFileSync } from 'node:fs'

/** Bytes this process has read so far, as Linux counts them; 0 elsewhere. */
const bytesReadSoFar = (): number => {
  try {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const US_PER_MS = 1_000

export interface Work {
  /** With the few hundred bytes that counting them takes. */
  bytesRead: number
  /** Of all threads: other processes make it neither longer nor shorter. */
  cpuMs: number
}

/** What a piece of work costs. Nothing else may go on in the process meanwhile. */
export const measureWork = async (work: () => Promise<unknown>): Promise<Work> => {
  const [before, begun] = [bytesReadSoFar(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(begun)
  return { bytesRead: bytesReadSoFar() - before, cpuMs: (user + system) / US_PER_MS }
}
