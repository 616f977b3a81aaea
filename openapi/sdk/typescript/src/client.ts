import { type NextscaleOptions, readOptions } from './config.ts'
import type {
  ContinueRequest,
  GenerateRequest,
  Generation,
  GenerationEvent,
  GenerationOutput,
  Preview,
  ServiceStatus
} from './generated/contract.ts'
import { checkRequest } from './generations/check-request.ts'
import { type CallOptions, create, type CreateOptions } from './generations/create.ts'
import { download } from './generations/download.ts'
import { events, type EventsOptions } from './generations/events.ts'
import { list, type ListFilters } from './generations/list.ts'
import { generationPath } from './generations/path.ts'
import { wait, type WaitOptions } from './generations/wait.ts'
import { Models } from './models/models.ts'
import { readJson } from './transport/read-json.ts'
import { createTransport, type Transport } from './transport/transport.ts'
import { Webhooks } from './webhooks/webhooks.ts'

/**
 * Client of one Nextscale server. Every method throws `NextscaleError`, the reason of the signal it was given, or a `TypeError` for
 * arguments of another kind than its own.
 */
export class Nextscale {
  readonly models: Models
  readonly webhooks: Webhooks
  readonly #transport: Transport

  /** @throws TypeError without a usable `baseUrl`. */
  constructor(options: NextscaleOptions = {}) {
    this.#transport = createTransport(readOptions(options))
    this.models = new Models(this.#transport)
    this.webhooks = new Webhooks(this.#transport)
  }

  /** Asks for pictures and returns as soon as the request is accepted. */
  async generate(request: GenerateRequest, options?: CreateOptions): Promise<Generation> {
    checkRequest({ method: 'generate', request })
    return create(this.#transport, '/generate', request, options)
  }

  /**
   * Asks for pictures and waits for them.
   * @throws GenerationFailed when there will be none; TimeoutError when they are not there in time.
   */
  async generateAndWait(request: GenerateRequest, options: WaitOptions & CreateOptions = {}): Promise<Generation> {
    checkRequest({ method: 'generateAndWait', request })
    const { id } = await this.generate(request, options)
    return this.wait(id, options)
  }

  /** Takes a draft to full size, or varies a generation: a new generation. */
  async continue(id: string, request: ContinueRequest = {}, options?: CreateOptions): Promise<Generation> {
    checkRequest({ method: 'continue', request })
    return create(this.#transport, `${generationPath(id)}/continue`, request, options)
  }

  /** A generation as it is now, its links fresh. */
  async get(id: string, { signal }: CallOptions = {}): Promise<Generation> {
    return this.#transport.request({ path: generationPath(id), signal }, readJson<Generation>)
  }

  /**
   * Waits until a generation has succeeded.
   * @throws GenerationFailed when it ended otherwise; TimeoutError when it did not end in time.
   */
  wait(id: string, options?: WaitOptions): Promise<Generation> {
    return wait(this.#transport, id, options)
  }

  /**
   * Follows a generation: a snapshot first, `end` last. Each preview and each output is an event of its own, once; those that the
   * snapshot holds follow it, coarse to fine. Broken connections are made anew, and no event comes twice.
   */
  events(id: string, options?: EventsOptions): AsyncGenerator<GenerationEvent, void> {
    return events(this.#transport, id, options)
  }

  /** Generations, newest first, page by page as they are asked for. */
  list(filters?: ListFilters, options?: CallOptions): AsyncGenerator<Generation, void> {
    return list(this.#transport, filters, options)
  }

  /** Ends a generation: at once while it is queued, at its next scale while it runs. */
  async cancel(id: string, { signal }: CallOptions = {}): Promise<Generation> {
    return this.#transport.request({ method: 'POST', path: `${generationPath(id)}/cancel`, signal }, readJson<Generation>)
  }

  /** Erases a terminal generation with its pictures. */
  async delete(id: string, { signal }: CallOptions = {}): Promise<void> {
    return this.#transport.request({ method: 'DELETE', path: generationPath(id), signal }, async () => undefined)
  }

  /** Bytes of a picture or a preview, by a fresh link where its own has run out. */
  download(picture: GenerationOutput | Preview, options?: CallOptions): Promise<Uint8Array> {
    return download(this.#transport, picture, options)
  }

  /** Capacity: queue, runners, speed of each model. */
  status({ signal }: CallOptions = {}): Promise<ServiceStatus> {
    return this.#transport.request({ path: '/status', signal }, readJson<ServiceStatus>)
  }
}
