import { fileURLToPath } from 'node:url'
import { startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import type { Arrivals } from './counting-receiver.ts'

const PROGRAM = fileURLToPath(new URL('counting-receiver.ts', import.meta.url))

export interface CountingReceiver {
  pid: number
  /** Where it counts, as one of many hosts: all of 127.0.0.0/8 leads to it. */
  url(host?: number): string
  /** Where it never answers, as yet another host. */
  hangingUrl: string
  arrivals(): Promise<Arrivals>
  forget(): Promise<void>
  close(): Promise<void>
}

/** A receiver in a process of its own, which counts. */
export const startCountingReceiver = async (): Promise<CountingReceiver> => {
  const started = startProcess(process.execPath, [PROGRAM])
  const port = await until('the receiver listens', async () => /^listening at (\d+)$/m.exec(started.output())?.[1])
  const home = `http://127.0.0.1:${port}`
  return {
    pid: started.pid,
    url: (host = 0) => `http://127.0.0.${host + 1}:${port}/count`,
    hangingUrl: `http://127.0.1.1:${port}/hang`,
    arrivals: async () => (await (await fetch(home)).json()) as Arrivals,
    forget: async () => void (await fetch(home, { method: 'DELETE' })),
    close: () => started.end()
  }
}
