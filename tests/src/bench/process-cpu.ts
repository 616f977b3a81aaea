import { readFile } from 'node:fs/promises'

/** Ticks of the kernel’s accounting in a second: fixed on Linux. */
const TICKS = 100
const USER_TIME = 11

/** CPU seconds a process has taken, all threads. Linux only. */
export const cpuSeconds = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_TIME]) + Number(fields[USER_TIME + 1])) / TICKS
}
