import type { ChildProcess } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { JobError } from '../errors.ts'
import type { OpenModel } from '../model/open-model.ts'
import { loadModels, spawnChild, stopChild } from './child.ts'
import type { SamplerCommand, SamplerEvent } from './messages.ts'
import type { ImageRequest, SampledImage } from './sample-batch.ts'

const FIRST_RESPAWN_DELAY_MS = 500
const MAX_RESPAWN_DELAY_MS = 30_000

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

interface Pending {
  batch: Batch
  resolve: (result: BatchResult) => void
  reject: (error: Error) => void
}

interface Options {
  models: readonly OpenModel[]
  threads: number
  log: Logger
}

/** The runner’s side of the sampler process. One that dies fails its batches with `sampler_crashed` and is replaced. */
export class Sampler {
  readonly #options: Options
  readonly #pending = new Map<number, Pending>()
  #child: ChildProcess
  /** Settles when the present process has its models. */
  #ready: Promise<void>
  #batches = 0
  #failedLoads = 0
  #isClosing = false

  private constructor(options: Options) {
    this.#options = options
    this.#child = this.#spawn()
    this.#ready = this.#load()
  }

  /**
   * Starts the process and loads the models.
   * @throws ModelError when a model cannot be served.
   */
  static async start(models: readonly OpenModel[], threads: number, log: Logger): Promise<Sampler> {
    const sampler = new Sampler({ models, threads, log })
    try {
      await sampler.#ready
      return sampler
    } catch (error) {
      await sampler.close()
      throw error
    }
  }

  /** Id of the process that computes at present. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  sample(batch: Batch): RunningBatch {
    const id = this.#batches++
    const start = () =>
      new Promise<BatchResult>((resolve, reject) => {
        this.#pending.set(id, { batch, resolve, reject })
        this.#send({ type: 'sample', batch: id, model: batch.model, images: [...batch.images] })
      })
    const drop = (images: number[]) => {
      if (this.#pending.has(id)) this.#send({ type: 'drop', batch: id, images })
    }
    return { result: this.#ready.then(start), drop }
  }

  /** Ends the process; batches under way fail. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#failAll()
    await stopChild(this.#child)
  }

  #spawn(): ChildProcess {
    const child = spawnChild()
    child.on('message', (event: SamplerEvent) => this.#hear(event))
    child.once('exit', (code, signal) => {
      if (this.#isClosing) return
      this.#options.log.error({ code, signal, batches: this.#pending.size }, 'sampler process died; starting another')
      this.#failAll()
      this.#ready = this.#respawn()
    })
    return child
  }

  #load(): Promise<void> {
    return loadModels(this.#child, this.#options.models, this.#options.threads)
  }

  async #respawn(): Promise<void> {
    await setTimeout(Math.min(FIRST_RESPAWN_DELAY_MS * 2 ** this.#failedLoads, MAX_RESPAWN_DELAY_MS))
    if (this.#isClosing) return
    this.#child = this.#spawn()
    this.#failedLoads++
    try {
      await this.#load()
      this.#failedLoads = 0
    } catch (error) {
      // Its exit starts the next attempt.
      this.#options.log.error({ err: error }, 'the new sampler process could not load the models')
    }
  }

  #send(command: SamplerCommand): void {
    const fail = (error: Error | null) => {
      if (error && 'batch' in command) this.#settle(command.batch, (pending) => pending.reject(crashed(error)))
    }
    this.#child.send(command, fail)
  }

  #hear(event: SamplerEvent): void {
    if (!('batch' in event)) return
    if (event.type === 'scale') this.#pending.get(event.batch)?.batch.onScale(event.scale, event.elapsedMs)
    else if (event.type === 'sampled') this.#settle(event.batch, ({ resolve }) => resolve(event))
    else
      this.#settle(event.batch, ({ reject }) =>
        reject(new JobError('sampler_failed', 'Sampling failed.', new Error(event.message)))
      )
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (pending) how(pending)
  }

  #failAll(): void {
    for (const id of this.#pending.keys()) this.#settle(id, ({ reject }) => reject(crashed()))
  }
}

const crashed = (cause?: Error) => new JobError('sampler_crashed', 'The sampler process died.', cause)
