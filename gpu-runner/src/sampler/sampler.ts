import type { ChildProcess } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { JobError } from '../errors.ts'
import { keyOf, type ModelRef } from '../model/model-ref.ts'
import type { ServedModel } from '../families/family.ts'
import { SHIPPED_FAMILIES } from '../families/load-families.ts'
import type { SampledPreview, SampleResult } from '../families/open-sampler.ts'
import { ProcessEnded, spawnChild, stopChild } from './child.ts'
import type { SamplerCommand, SamplerEvent } from './messages.ts'
import { ModelMemory, type ModelMemoryOptions } from './model-memory.ts'

const FIRST_RESPAWN_DELAY_MS = 500
const MAX_RESPAWN_DELAY_MS = 30_000

export interface Batch {
  model: ModelRef
  /** One request per image, as the model's family asks for it. */
  images: readonly object[]
  /** The model is being loaded for this batch. */
  onLoading?: () => void
  /** The batch has its model, and begins. */
  onStart?: () => void
  onScale: (scale: number, elapsedMs: number) => void
  /** Previews come after their scale and before the result. */
  onPreview?: (preview: SampledPreview) => void
}

export interface RunningBatch {
  result: Promise<SampleResult>
  /** Takes images out after the running scale. */
  drop: (images: number[]) => void
}

interface Pending {
  batch: Batch
  resolve: (result: SampleResult) => void
  reject: (error: Error) => void
}

export interface SamplerOptions extends ModelMemoryOptions {
  /** The module that exports the table of families; by default the shipped one. */
  families?: string
  /** A process that is silent for longer while it has a batch is taken for hung and replaced. */
  timeoutMs: number
  /** A process died and is being replaced. */
  onRestart?: () => void
}

const NOTHING: SampleResult = { images: [], scaleMs: [], decodeMs: 0 }

/** The runner’s half of the sampler process, which makes one batch at a time. One that dies fails its batch with `sampler_crashed` and is replaced. */
export class Sampler {
  readonly #memory: ModelMemory
  readonly #options: SamplerOptions
  readonly #pending = new Map<number, Pending>()
  readonly #closing = new AbortController()
  #child: ChildProcess
  /** Settles when the present process has its models. */
  #ready: Promise<void>
  /** Settles when the last batch that was asked for has ended. */
  #turn: Promise<unknown> = Promise.resolve()
  #isRespawning = false
  #batches = 0
  #watchdog: NodeJS.Timeout | undefined

  private constructor(models: readonly ServedModel[], options: SamplerOptions) {
    this.#memory = new ModelMemory(models, options)
    this.#options = options
    this.#child = this.#spawn()
    this.#ready = this.#loadFirst()
  }

  /**
   * Starts the process and loads the models, whose files have just been verified, in their order as far as there is room for them.
   * @throws ModelError when a model cannot be served.
   */
  static async start(models: readonly ServedModel[], options: SamplerOptions): Promise<Sampler> {
    const sampler = new Sampler(models, options)
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

  /** Whether there is a process that has its models; false while another takes the place of one that died. */
  get isUp(): boolean {
    return !this.#isRespawning
  }

  /** Whether a batch of that model may be made before others that have waited for longer. */
  isReady(model: ModelRef): boolean {
    return this.#memory.isReady(model)
  }

  sample(batch: Batch): RunningBatch {
    const id = this.#batches++
    const early = new Set<number>()
    const drop = (images: number[]) => {
      if (this.#pending.has(id)) this.#send({ type: 'drop', batch: id, images })
      else for (const image of images) early.add(image)
    }
    const result = this.#turn.then(() => this.#make(id, batch, early))
    this.#turn = result.catch(() => undefined)
    return { result, drop }
  }

  /** Ends the process; batches under way fail. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#failAll()
    await stopChild(this.#child)
  }

  /** Makes a batch but for the images that were dropped before it began. */
  async #make(id: number, batch: Batch, early: ReadonlySet<number>): Promise<SampleResult> {
    await this.#ready
    this.#closing.signal.throwIfAborted()
    if (early.size === batch.images.length) return NOTHING
    await this.#memory.require(batch.model, this.#child, () => batch.onLoading?.())
    if (early.size === batch.images.length) return NOTHING
    batch.onStart?.()
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { batch, resolve, reject })
      this.#send({ type: 'sample', batch: id, model: keyOf(batch.model), images: [...batch.images] })
      if (early.size > 0) this.#send({ type: 'drop', batch: id, images: [...early] })
      this.#rewind()
    })
  }

  #spawn(): ChildProcess {
    const { families = SHIPPED_FAMILIES, memoryBytes } = this.#options
    const child = spawnChild({ families, givesBack: memoryBytes !== undefined })
    child.on('message', (event: SamplerEvent) => this.#hear(event))
    child.once('exit', (code, signal) => this.#lost(child, { code, signal }))
    child.on('error', (error) => this.#lost(child, { err: error }))
    return child
  }

  async #loadFirst(): Promise<void> {
    await this.#memory.stampAll()
    for (const model of this.#memory.first()) await this.#memory.load(model, this.#child)
  }

  /** Loads again what its predecessor had; what cannot be is loaded when it is needed. */
  async #loadAgain(models: Set<string>): Promise<void> {
    for (const model of models) {
      try {
        await this.#memory.load(model, this.#child)
      } catch (error) {
        models.delete(model)
        this.#options.log.error({ err: error, model }, 'the new sampler process could not load a model')
        if (error instanceof ProcessEnded) throw error
      }
    }
  }

  #lost(child: ChildProcess, how: object): void {
    // Its successor is being started already, or none is wanted.
    if (child !== this.#child || this.#isRespawning || this.#closing.signal.aborted) return
    this.#options.log.error({ ...how, batches: this.#pending.size }, 'sampler process died; starting another')
    this.#options.onRestart?.()
    const models = new Set(this.#memory.loaded)
    this.#memory.forget()
    this.#failAll()
    this.#ready = this.#respawn(models)
    // Rejected only by closing, when perhaps nobody waits for it.
    this.#ready.catch(() => undefined)
  }

  async #respawn(models: Set<string>): Promise<void> {
    this.#isRespawning = true
    for (let delayMs = FIRST_RESPAWN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_RESPAWN_DELAY_MS)) {
      // Rejects when the sampler closes, and with it every batch that waits for the new process.
      await setTimeout(delayMs, undefined, { signal: this.#closing.signal })
      try {
        this.#child = this.#spawn()
        await this.#loadAgain(models)
        break
      } catch (error) {
        this.#memory.forget()
        this.#options.log.error({ err: error }, 'the new sampler process ended; starting another')
      }
    }
    this.#isRespawning = false
  }

  #send(command: SamplerCommand): void {
    const fail = (error: Error | null) => {
      if (error && 'batch' in command) this.#settle(command.batch, (pending) => pending.reject(crashed(error)))
    }
    this.#child.send(command, fail)
  }

  #hear(event: SamplerEvent): void {
    if (!('batch' in event)) return
    this.#rewind()
    if (event.type === 'scale') this.#pending.get(event.batch)?.batch.onScale(event.scale, event.elapsedMs)
    else if (event.type === 'preview') this.#pending.get(event.batch)?.batch.onPreview?.(event.preview)
    else if (event.type === 'sampled') this.#settle(event.batch, (pending) => deliver(pending, event))
    else
      this.#settle(event.batch, ({ reject }) =>
        reject(new JobError('sampler_failed', 'Sampling failed.', new Error(event.message)))
      )
  }

  /** Starts the time anew in which the process must be heard from. */
  #rewind(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = globalThis.setTimeout(() => {
      this.#options.log.error({ pid: this.#child.pid }, 'sampler process is silent; killing it')
      this.#child.kill('SIGKILL')
    }, this.#options.timeoutMs)
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) clearTimeout(this.#watchdog)
    if (pending) how(pending)
  }

  #failAll(): void {
    for (const id of this.#pending.keys()) this.#settle(id, ({ reject }) => reject(crashed()))
  }
}

/** A picture of another model is nobody's. */
const deliver = ({ batch, resolve, reject }: Pending, sampled: Extract<SamplerEvent, { type: 'sampled' }>): void => {
  if (sampled.model === keyOf(batch.model)) return resolve(sampled)
  const cause = new Error(`asked for ${keyOf(batch.model)}, and got pictures of ${sampled.model}`)
  reject(new JobError('sampler_failed', 'Sampling failed.', cause))
}

const crashed = (cause?: Error) => new JobError('sampler_crashed', 'The sampler process died.', cause)
