import { readFile } from 'node:fs/promises'

const BYTES_PER_KB = 1_024

/** Memory of a process in bytes. */
export interface Memory {
  /** Most that was ever resident, loading included. */
  peak: number
  /** Resident now: what it allocated, and pages of files, which other processes may share. */
  anonymous: number
  file: number
  /** A page that n processes share counts as 1/n. */
  pss: number
  /** Pages no other process has. */
  private: number
}

const bytes = (text: string, field: string): number => {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)
  return Number(line?.[1] ?? Number.NaN) * BYTES_PER_KB
}

/** Memory of a process; `null` where there is no /proc to read it from. */
export const readMemory = async (pid: number): Promise<Memory | null> => {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => null)
  const [status, rollup] = [await read('status'), await read('smaps_rollup')]
  if (status === null || rollup === null) return null
  return {
    peak: bytes(status, 'VmHWM'),
    anonymous: bytes(status, 'RssAnon'),
    file: bytes(status, 'RssFile'),
    pss: bytes(rollup, 'Pss'),
    private: bytes(rollup, 'Private_Clean') + bytes(rollup, 'Private_Dirty')
  }
}
