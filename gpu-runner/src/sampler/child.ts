import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ModelError } from '../errors.ts'
import type { ServedModel } from '../families/family.ts'
import type { ModelRecord, SamplerCommand, SamplerEvent } from './messages.ts'
import type { SamplerForm } from './sampler-form.ts'

/** Below the runner and the API, which need little but need it at once. */
const NICENESS = 5
const STOP_TIMEOUT_MS = 5_000

/** Starts a sampler process that knows the families of a module; it has no models yet. */
export const spawnChild = (families: string): ChildProcess => {
  const path = fileURLToPath(new URL('./process.ts', import.meta.url))
  const child = fork(path, [families], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    if (child.pid) setPriority(child.pid, NICENESS)
  } catch {
    // A sandbox may forbid it; sampling then merely competes as an equal.
  }
  return child
}

const record = ({ id, revision, family, opening }: ServedModel): ModelRecord => ({ id, revision, family, opening })

/**
 * Has a fresh process load the models; ends it when it cannot.
 * @throws ModelError in one sentence for the operator.
 */
export const loadModels = async (child: ChildProcess, models: readonly ServedModel[], form: SamplerForm): Promise<void> => {
  const command: SamplerCommand = { type: 'load', models: models.map(record), form }
  // A process that cannot be reached also ends, which is heard below.
  child.send(command, () => undefined)
  const exited = once(child, 'exit').then(() => {
    throw new ModelError('The sampler process ended while it loaded the models: is there enough memory?')
  })
  const [event] = (await Promise.race([once(child, 'message'), exited])) as [SamplerEvent]
  if (event.type === 'loaded') return
  child.kill('SIGKILL')
  throw new ModelError(event.type === 'refused' ? event.message : `The sampler process answered ${event.type} to load.`)
}

/** Ends a process after its running scale, by force when that takes too long. */
export const stopChild = async (child: ChildProcess): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
