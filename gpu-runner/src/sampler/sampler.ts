import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { JobError, ModelError } from '../errors.ts'
import type { OpenModel } from '../model/open-model.ts'
import type { ModelRecord, SamplerCommand, SamplerEvent } from './messages.ts'
import type { ImageRequest, SampledImage } from './sample-batch.ts'

/** Below the runner and the API, which need little but need it at once. */
const NICENESS = 5
const RESPAWN_DELAY_MS = 500
const STOP_TIMEOUT_MS = 5_000

export interface Batch {
  model: string
  images: readonly ImageRequest[]
  onScale: (scale: number, elapsedMs: number) => void
}

export interface BatchResult {
  /** Those not dropped. */
  images: SampledImage[]
  scaleMs: number[]
  decodeMs: number
}

export interface RunningBatch {
  result: Promise<BatchResult>
  /** Takes images out after the running scale. */
  drop: (images: number[]) => void
}

export interface Sampler {
  sample(batch: Batch): RunningBatch
  /** The process that computes at present. */
  process(): ChildProcess
  close(): Promise<void>
}

interface Pending {
  batch: Batch
  resolve: (result: BatchResult) => void
  reject: (error: Error) => void
}

const spawnProcess = (): ChildProcess => {
  const path = fileURLToPath(new URL('./process.ts', import.meta.url))
  const child = fork(path, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    if (child.pid) setPriority(child.pid, NICENESS)
  } catch {
    // A sandbox may forbid it; sampling then merely competes as an equal.
  }
  return child
}

const record = (model: OpenModel): ModelRecord => ({
  ...model,
  tokenizer: { path: model.tokenizer.path, tensors: model.tokenizer.tensors },
  transformer: { path: model.transformer.path, tensors: model.transformer.tensors }
})

const loadModels = async (child: ChildProcess, models: readonly OpenModel[], threads: number): Promise<void> => {
  const command: SamplerCommand = { type: 'load', models: models.map(record), threads }
  child.send(command)
  const exited = once(child, 'exit').then(() => {
    throw new ModelError('The sampler process ended while it loaded the models: is there enough memory?')
  })
  const [event] = (await Promise.race([once(child, 'message'), exited])) as [SamplerEvent]
  if (event.type !== 'loaded') throw new ModelError(event.type === 'refused' ? event.message : `unexpected ${event.type}`)
}

/**
 * Starts the sampler process and loads the models. A process that dies fails its batches with `sampler_crashed` and is
 * replaced.
 * @throws ModelError when a model cannot be served.
 */
export const startSampler = async (models: readonly OpenModel[], threads: number, log: Logger): Promise<Sampler> => {
  const pending = new Map<number, Pending>()
  let count = 0
  let closing = false
  let child = spawnProcess()

  const hear = (event: SamplerEvent): void => {
    if (!('batch' in event)) return
    const entry = pending.get(event.batch)
    if (!entry) return
    if (event.type === 'scale') return entry.batch.onScale(event.scale, event.elapsedMs)
    pending.delete(event.batch)
    if (event.type === 'sampled') entry.resolve(event)
    else entry.reject(new JobError('sampler_failed', 'Sampling failed.', new Error(event.message)))
  }

  const failAll = (): void => {
    for (const { reject } of pending.values()) reject(new JobError('sampler_crashed', 'The sampler process died.'))
    pending.clear()
  }

  let current: Promise<void>
  const attach = (): void => {
    child.on('message', hear)
    child.once('exit', (code, signal) => {
      if (closing) return
      log.error({ code, signal, batches: pending.size }, 'sampler process died; starting another')
      failAll()
      current = respawn()
    })
  }
  const respawn = async (): Promise<void> => {
    await setTimeout(RESPAWN_DELAY_MS)
    if (closing) return
    child = spawnProcess()
    attach()
    await loadModels(child, models, threads).catch((error: unknown) => {
      log.error({ err: error }, 'the new sampler process could not load the models')
      child.kill('SIGKILL')
    })
  }

  attach()
  current = loadModels(child, models, threads)
  await current.catch((error: unknown) => {
    closing = true
    child.kill('SIGKILL')
    throw error
  })

  const sample = (batch: Batch): RunningBatch => {
    const id = count++
    const result = current.then(
      () =>
        new Promise<BatchResult>((resolve, reject) => {
          pending.set(id, { batch, resolve, reject })
          const command: SamplerCommand = { type: 'sample', batch: id, model: batch.model, images: [...batch.images] }
          child.send(command, (error) => error && reject(new JobError('sampler_crashed', 'The sampler process died.', error)))
        })
    )
    const drop = (images: number[]) => {
      const command: SamplerCommand = { type: 'drop', batch: id, images }
      if (pending.has(id) && child.connected) child.send(command)
    }
    return { result, drop }
  }

  const close = async (): Promise<void> => {
    closing = true
    failAll()
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    if (child.connected) child.disconnect()
    const stopped = new AbortController()
    const forced = setTimeout(STOP_TIMEOUT_MS, undefined, { signal: stopped.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined
    )
    await exited
    stopped.abort()
    await forced
  }
  return { sample, close, process: () => child }
}
