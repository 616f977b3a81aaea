import type { Contestant } from './contestants.ts'
import { type LineProcess, startLines } from './line-process.ts'
import { type Memory, readMemory } from './read-memory.ts'
import { parseLine, Ready, Round } from './replies.ts'

export interface Measured extends Contestant {
  loadMs: number
  /** Without the one that warms up. */
  rounds: Round[]
  /** Resident memory after the last round; `null` where the system does not say. */
  memory: Memory | null
}

interface Options {
  rounds: number
  signal: AbortSignal
  /** Called after every measured round, for what is to be measured under the same conditions. */
  afterRound?: () => Promise<void>
}

const ask = async (process: LineProcess): Promise<Round> => parseLine(Round, await process.ask('round'))

/** One contestant begins, in turn, so that none always runs in the wake of the same other. */
const rotated = <T>(items: readonly T[], by: number): T[] => {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

interface Running {
  process: LineProcess
  measured: Measured
}

/**
 * Measures contestants, each a process of its own, round by round in turn, so that all see the same machine. They load one
 * after the other, and one that waits computes nothing.
 */
export const measure = async (
  contestants: readonly Contestant[],
  { rounds, signal, afterRound }: Options
): Promise<Measured[]> => {
  const running: Running[] = []
  try {
    for (const contestant of contestants) {
      const process = startLines(contestant.command, signal)
      const measured: Measured = { ...contestant, loadMs: 0, rounds: [], memory: null }
      running.push({ process, measured })
      measured.loadMs = parseLine(Ready, await process.read()).load_ms
      await ask(process)
    }
    for (let round = 0; round < rounds; round++) {
      for (const { process, measured } of rotated(running, round)) measured.rounds.push(await ask(process))
      await afterRound?.()
    }
    for (const { process, measured } of running) measured.memory = await readMemory(process.pid)
    return running.map(({ measured }) => measured)
  } finally {
    for (const { process } of running) await process.close()
  }
}
