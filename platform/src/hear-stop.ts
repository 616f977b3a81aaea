import { print } from './terminal/index.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

type Stop = (signal: NodeJS.Signals) => void

const endAtOnce: Stop = (signal) => {
  print(`${signal}: stopped before it was ready`)
  process.exit(0)
}

/**
 * Hears SIGTERM and SIGINT from now on, since the first process of a container is not ended by a signal that it does not listen for.
 * Until the function that is returned has been given an orderly stop, a signal ends the process at once, with 0.
 */
export const hearStop = (): ((stop: Stop) => void) => {
  let stop = endAtOnce
  for (const name of SIGNALS) process.on(name, (signal) => stop(signal))
  return (orderly) => {
    stop = orderly
  }
}
