import { type GenerateImageProgress, type GenerateImageResult, generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { Compile } from 'typebox/compile'
import { type AttemptListener, observeAttempt } from '../observe/observe-attempt.ts'
import type { Observer } from '../observe/observer.ts'
import { decideRetry } from './decide-retry.ts'
import { asJobError, codeOf, failureReason } from './failure.ts'
import { type JobContext, processJob } from './process-job.ts'

export interface WorkerOptions {
  connection: Redis
  keys: RedisKeys
  /** Generations held at once. */
  concurrency: number
  /** Images held at once: with that many no further generation is taken. */
  maxImages: number
  lockDurationMs: number
  stalledIntervalMs: number
  /** How long running generations may go on once the runner was told to stop. */
  graceMs: number
}

/** How long an idle worker blocks on Redis, in seconds: a generation handed back is noticed after that at the latest. */
const DRAIN_DELAY_SECONDS = 1
/** How long a worker leaves a Redis alone that refuses its commands (full, read-only); BullMQ would ask without a pause. */
const REST_MS = 1_000
/** What stopping may take beyond the grace time; with Redis away the hand-back would wait for ever. */
const STOP_DEADLINE_MS = 5_000

/** Why a job’s signal is aborted from here. */
const SHUTDOWN = 'shutdown'
const LOCK_LOST = 'lock-lost'

const Payload = Compile(generateImageJob.payload)

const reporter = (job: Job, log: Logger) => (progress: GenerateImageProgress) =>
  job
    .updateProgress({ ...progress, run: job.attemptsStarted })
    .catch((error: unknown) => log.debug({ err: error, generation: job.id }, 'progress was not recorded'))

export interface RunningWorker {
  /**
   * Takes no more jobs, lets running ones finish within the grace time, and hands the rest back. Says `abandoned` when
   * Redis did not take them within the deadline: their locks must run out then, and connections may still be open.
   */
  stop(): Promise<'stopped' | 'abandoned'>
}

const handBack = async (job: Job, token: string | undefined): Promise<never> => {
  await job.moveToWait(token)
  throw new WaitingError()
}

const fail = (job: Job, error: unknown, log: Logger): never => {
  const jobError = asJobError(error)
  const { code } = jobError
  const attempt = job.attemptsMade + 1
  const decision = decideRetry(code, attempt)
  log.error({ err: jobError.cause ?? jobError, generation: job.id, code, attempt, decision: decision.kind }, 'attempt failed')
  const reason = failureReason(jobError, attempt)
  throw decision.kind === 'retry' ? new Error(reason) : new UnrecoverableError(reason)
}

const createProcessor =
  (context: JobContext, stopping: AbortSignal, log: Logger) =>
  async (
    job: Job,
    token: string | undefined,
    own: AbortSignal | undefined,
    listener: AttemptListener
  ): Promise<GenerateImageResult> => {
    const id = job.id ?? ''
    const signal = own ? AbortSignal.any([own, stopping]) : stopping
    try {
      const { data, timestamp: createdAt, attemptsStarted: run } = job
      return await processJob(
        { id, data: data as unknown, createdAt, run, report: reporter(job, log), listener },
        context,
        signal
      )
    } catch (error) {
      const reason: unknown = signal.aborted ? signal.reason : undefined
      // Another runner has the job by now; whatever this one reports is refused.
      if (reason === LOCK_LOST) throw error
      // Waiting with a cancel mark counts as canceled, so a canceled job must not run again.
      if (await context.cancels.isCanceled(id)) return { outcome: 'canceled' }
      return reason === SHUTDOWN ? handBack(job, token) : fail(job, error, log)
    }
  }

/** Narrows the worker to what it holds once that is enough images, so that others can take what waits. */
const limitImages = (worker: Worker, { concurrency, maxImages }: WorkerOptions) => {
  let held = { jobs: 0, images: 0 }
  const change = (jobs: number, images: number) => {
    held = { jobs: held.jobs + jobs, images: held.images + images }
    worker.concurrency = held.images < maxImages ? concurrency : Math.min(Math.max(held.jobs, 1), concurrency)
  }
  return async <T>(images: number, work: () => Promise<T>): Promise<T> => {
    change(1, images)
    try {
      return await work()
    } finally {
      change(-1, -images)
    }
  }
}

/** Images a payload asks for; one that cannot be parsed is refused later and holds nothing up. */
const imagesOf = (data: unknown): number => (Payload.Check(data) ? data.input.num_images : 0)

/** Lets the worker rest when Redis refuses its commands, and says so once per kind of trouble. */
const restOnRefusal = (worker: Worker, log: Logger): void => {
  let isResting = false
  let said: string | undefined
  worker.on('active', () => (said = undefined))
  worker.on('error', (error) => {
    if (error.message !== said) log.warn({ err: error }, 'queue error')
    said = error.message
    if (isResting || error.name !== 'ReplyError') return
    isResting = true
    void worker.pause(true)
    setTimeout(() => {
      isResting = false
      if (!worker.closing) void worker.resume()
    }, REST_MS).unref()
  })
}

const backoffStrategy = (attemptsMade: number, _type?: string, error?: Error): number => {
  const decision = decideRetry(codeOf(error?.message), attemptsMade)
  return decision.kind === 'retry' ? decision.delayMs : -1
}

/** Takes generations off the queue. */
export const startWorker = (options: WorkerOptions, context: JobContext, log: Logger, observer: Observer): RunningWorker => {
  const stopping = new AbortController()
  const processJobOf = createProcessor(context, stopping.signal, log)
  // Three parameters must be declared: BullMQ passes the signal only to processors that ask for it.
  const processor = (job: Job, token: string | undefined, signal: AbortSignal | undefined) =>
    holding(imagesOf(job.data), () =>
      observeAttempt(
        job,
        observer,
        () => signal?.reason === LOCK_LOST,
        (listener) => processJobOf(job, token, signal, listener)
      )
    )
  const worker = new Worker<unknown, GenerateImageResult>(generateImageJob.queue, processor, {
    // Nothing is fetched before the limit below knows the worker.
    autorun: false,
    connection: options.connection,
    prefix: options.keys.bullmq,
    concurrency: options.concurrency,
    lockDuration: options.lockDurationMs,
    stalledInterval: options.stalledIntervalMs,
    maxStalledCount: generateImageJob.maxStalledCount,
    drainDelay: DRAIN_DELAY_SECONDS,
    settings: { backoffStrategy }
  })
  const holding = limitImages(worker, options)
  restOnRefusal(worker, log)
  worker.on('completed', (job, { outcome }) => log.info({ generation: job.id, outcome }, 'generation ended'))
  worker.on('stalled', (id) => log.warn({ generation: id }, 'generation lost its runner and waits again'))
  worker.on('lockRenewalFailed', (ids: string[]) => {
    log.warn({ generations: ids }, 'lost the locks of generations')
    for (const id of ids) worker.cancelJob(id, LOCK_LOST)
  })
  worker.run().catch((error: unknown) => log.error({ err: error }, 'the worker ended'))
  const stop: RunningWorker['stop'] = async () => {
    const timer = setTimeout(() => stopping.abort(SHUTDOWN), options.graceMs)
    const over = new AbortController()
    const deadline = sleep(options.graceMs + STOP_DEADLINE_MS, undefined, { signal: over.signal }).then(
      () => 'abandoned' as const,
      () => 'stopped' as const
    )
    const closed = worker.close().then(() => context.liveEvents.settled())
    const outcome = await Promise.race([closed.then(() => 'stopped' as const), deadline])
    clearTimeout(timer)
    over.abort()
    return outcome
  }
  return { stop }
}
