import type { Contestant } from './contestants.ts'
import { startLines } from './line-process.ts'
import { type Memory, readMemory } from './read-memory.ts'

export interface SecondProcess {
  /** The first process while it is alone. */
  alone: Memory
  /** The first and the second, while both run. */
  first: Memory
  second: Memory
}

/** Memory of two processes of the same engine, after a round each; `null` where the system does not say. */
export const measureSecond = async ({ command }: Contestant, signal: AbortSignal): Promise<SecondProcess | null> => {
  const first = startLines(command, signal)
  try {
    await first.read()
    await first.ask('round')
    const alone = await readMemory(first.pid)
    const second = startLines(command, signal)
    try {
      await second.read()
      await second.ask('round')
      const both = [await readMemory(first.pid), await readMemory(second.pid)] as const
      return alone && both[0] && both[1] && { alone, first: both[0], second: both[1] }
    } finally {
      await second.close()
    }
  } finally {
    await first.close()
  }
}
