import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ModelError } from '../errors.ts'
import type { ModelCommand, SamplerEvent } from './messages.ts'

/** Below the runner and the API, which need little but need it at once. */
const NICENESS = 5
const STOP_TIMEOUT_MS = 5_000

/**
 * Has glibc give memory back as soon as it is freed. By default it keeps blocks of up to 32 MB for later, and a model that has left
 * would leave most of its weights behind.
 */
const GIVES_BACK = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' }

/** Starts a sampler process that knows the families of a module; it has no models yet. */
export const spawnChild = ({ families, givesBack }: { families: string; givesBack: boolean }): ChildProcess => {
  const path = fileURLToPath(new URL('./process.ts', import.meta.url))
  const child = fork(path, [families], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // oxlint-disable-next-line node/no-process-env -- what a process is started with is added to, and nothing is read
    ...(givesBack && { env: { ...process.env, ...GIVES_BACK } })
  })
  try {
    if (child.pid) setPriority(child.pid, NICENESS)
  } catch {
    // A sandbox may forbid it; sampling then merely competes as an equal.
  }
  return child
}

/** The process ended before it answered. */
export class ProcessEnded extends ModelError {}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess) => pid === undefined || exitCode !== null || signalCode !== null

/**
 * Tells a process to load a model or to give its memory back, and waits for the answer. One that does not answer in time is killed.
 * @throws ModelError in one sentence for the operator when it refuses, and ProcessEnded when it ends meanwhile.
 */
export const tellOfModel = (child: ChildProcess, command: ModelCommand, deadlineMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (how: () => void) => {
      clearTimeout(timer)
      child.off('message', hear).off('exit', lose).off('error', lose)
      how()
    }
    const hear = (event: SamplerEvent) => {
      if ('batch' in event || event.model !== command.model) return
      settle(() => (event.type === 'refused' ? reject(new ModelError(event.message)) : resolve()))
    }
    const lose = () => {
      const sentence = `The sampler process ended while it was to ${command.type} ${command.model}: is there enough memory?`
      settle(() => reject(new ProcessEnded(sentence)))
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
    child.on('message', hear).once('exit', lose).once('error', lose)
    // A process that cannot be reached also ends, which is heard above.
    if (hasEnded(child)) lose()
    else child.send(command, () => undefined)
  })

/** Ends a process after its running scale, by force when that takes too long. */
export const stopChild = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
