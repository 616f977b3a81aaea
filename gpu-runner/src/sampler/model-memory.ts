import type { ChildProcess } from 'node:child_process'
import type { Logger } from 'pino'
import { JobError, ModelError } from '../errors.ts'
import type { ServedModel } from '../families/family.ts'
import { stampFiles } from '../model/file-stamps.ts'
import { keyOf, type ModelRef } from '../model/model-ref.ts'
import { formatBytes } from '../units.ts'
import { ProcessEnded, tellOfModel } from './child.ts'
import { createLoadPace } from './load-pace.ts'
import type { SamplerForm } from './sampler-form.ts'

/** Hears of models that come into the memory of the sampler process and leave it. */
export interface MemoryListener {
  loaded?(model: ModelRef, what: { elapsedMs: number; bytes: number }): void
  loadFailed?(model: ModelRef): void
  left?(model: ModelRef): void
}

export interface ModelMemoryOptions {
  form: SamplerForm
  /** Bytes that the weights of all models in memory may take; unset means no limit. */
  memoryBytes?: number | undefined
  listener?: MemoryListener
  log: Logger
  /** Milliseconds since any fixed moment. */
  now?: () => number
}

/** What a load may take: one from a slow disk, whose graphs are optimised for the first time, takes minutes. */
const LOAD_DEADLINE_MS = 1_800_000

const MB = 1e6

/**
 * Which models the sampler process has in memory. One that is needed is loaded; where that takes more than there is, those that were
 * used longest ago leave. Only one thing is done at a time, and nothing while a batch is made: its caller sees to that.
 */
export class ModelMemory {
  readonly #models: ReadonlyMap<string, ServedModel>
  readonly #bytes: ReadonlyMap<string, number>
  readonly #options: ModelMemoryOptions
  readonly #limit: number
  readonly #pace
  /** Files of models as they were when they were verified. */
  readonly #stamps = new Map<string, string>()
  /** By their last use, the longest ago first. */
  readonly #loaded = new Set<string>()

  /** @throws ModelError for a model that does not fit alone. */
  constructor(models: readonly ServedModel[], options: ModelMemoryOptions) {
    this.#models = new Map(models.map((model) => [keyOf(model), model]))
    this.#bytes = new Map(models.map((model) => [keyOf(model), model.memoryBytes(options.form)]))
    this.#options = options
    this.#limit = options.memoryBytes ?? Number.POSITIVE_INFINITY
    this.#pace = createLoadPace(options.now)
    for (const [key, bytes] of this.#bytes) this.#refuseTooLarge(key, bytes)
  }

  /** Keeps in mind how the files of all models are, which have just been verified. */
  async stampAll(): Promise<void> {
    for (const [key, { files }] of this.#models) this.#stamps.set(key, await stampFiles(files))
  }

  /** Models that fit together, in the order in which they were given. */
  first(): string[] {
    let taken = 0
    return [...this.#bytes].flatMap(([key, bytes]) => {
      if (taken + bytes > this.#limit) return []
      taken += bytes
      return [key]
    })
  }

  /** Models in memory, those used longest ago first. */
  get loaded(): string[] {
    return [...this.#loaded]
  }

  /** Whether a batch of that model may be made before others that have waited for longer. */
  isReady(model: ModelRef): boolean {
    return this.#loaded.has(keyOf(model)) || this.#pace.mayLoad()
  }

  /** The process is gone, and with it what was in its memory. */
  forget(): void {
    for (const key of this.loaded) this.#leave(key)
  }

  /**
   * Has a model in memory when it resolves; `onLoading` is called when that takes a while.
   * @throws JobError `model_load_failed`; others stay usable.
   */
  async require(ref: ModelRef, child: ChildProcess, onLoading: () => void): Promise<void> {
    const key = keyOf(ref)
    if (!this.#loaded.has(key)) {
      const failure = this.#pace.failureOf(key)
      if (failure) throw notLoaded(failure)
      onLoading()
      await this.#pace
        .timed(key, () => this.load(key, child))
        .catch((error: unknown) => {
          this.#options.log.error({ err: error, model: key }, 'a model could not be loaded; others are served')
          this.#options.listener?.loadFailed?.(ref)
          throw notLoaded(error)
        })
    }
    this.#loaded.delete(key)
    this.#loaded.add(key)
  }

  /**
   * Loads a model, for which others leave where there is no room.
   * @throws ModelError for the operator.
   */
  async load(key: string, child: ChildProcess): Promise<void> {
    const model = this.#models.get(key)
    if (!model) throw new ModelError(`model ${key} is not one of this runner's.`)
    await this.#verifyChanged(key, model)
    await this.#makeRoom(key, child)
    const { form, log, listener } = this.#options
    const begun = performance.now()
    const { id, revision, family, opening } = model
    const record = { id, revision, family, opening }
    await tellOfModel(child, { type: 'load', model: key, record, form }, LOAD_DEADLINE_MS)
    this.#loaded.add(key)
    const [elapsedMs, bytes] = [performance.now() - begun, this.#bytes.get(key) ?? 0]
    log.info({ model: key, load_ms: Math.round(elapsedMs), weights_mb: Math.round(bytes / MB) }, 'model loaded')
    listener?.loaded?.(model, { elapsedMs, bytes })
  }

  #refuseTooLarge(key: string, bytes: number): void {
    if (bytes <= this.#limit) return
    const [has, takes] = [formatBytes(this.#limit), formatBytes(bytes)]
    throw new ModelError(
      `MODELS_MEMORY is ${has}, and the weights of ${key} alone take ${takes}: set it to more, or take the model out of MODELS.`
    )
  }

  /** Weights that are loaded long after the start must be those that were verified then. */
  async #verifyChanged(key: string, model: ServedModel): Promise<void> {
    const now = await stampFiles(model.files)
    if (now === this.#stamps.get(key)) return
    await model.verifyHashes()
    this.#stamps.set(key, now)
  }

  async #makeRoom(key: string, child: ChildProcess): Promise<void> {
    const size = (other: string) => this.#bytes.get(other) ?? 0
    let taken = this.loaded.reduce((sum, other) => sum + size(other), size(key))
    for (const other of this.loaded) {
      if (taken <= this.#limit) return
      await tellOfModel(child, { type: 'release', model: other }, LOAD_DEADLINE_MS)
      taken -= size(other)
      this.#options.log.info({ model: other, for: key }, 'model left the memory')
      this.#leave(other)
    }
  }

  #leave(key: string): void {
    this.#loaded.delete(key)
    const model = this.#models.get(key)
    if (model) this.#options.listener?.left?.(model)
  }
}

const notLoaded = (cause: unknown) =>
  new JobError(
    'model_load_failed',
    cause instanceof ProcessEnded ? 'The sampler process died while it loaded the model.' : 'The model could not be loaded.',
    cause
  )
