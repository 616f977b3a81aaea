import {
  type GenerateImageProgress,
  type GenerateImageResult,
  generateImageJob,
  queueOfPool,
  type RedisKeys
} from '@nextscale/openapi'
import { setTimeout as sleep } from 'node:timers/promises'
import { type StallWatch, SteadyWorker, watchStalls } from '@nextscale/platform'
import { DelayedError, type Job, UnrecoverableError, WaitingError, type Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type AttemptListener, observeAttempt } from '../observe/observe-attempt.ts'
import type { Observer } from '../observe/observer.ts'
import { countFault } from './count-fault.ts'
import { decideRetry, isOwnFault } from './decide-retry.ts'
import { NotServed } from '../errors.ts'
import { asJobError, failureReason, RetryLater, waitingFor } from './failure.ts'
import { limitImages } from './limit-images.ts'
import { type JobContext, processJob } from './process-job.ts'
import { type Aside, createAside, watchAside } from './put-aside.ts'
import { NO_PROTECTION, type TaskProtection } from './protect-task.ts'
import { readPayload } from './read-payload.ts'

export interface WorkerOptions {
  connection: Redis
  keys: RedisKeys
  /** Whose queue it takes from. */
  pool: string
  /** Generations held at once. */
  concurrency: number
  /** Images held at once: with that many no further generation is taken. */
  maxImages: number
  lockDurationMs: number
  stalledIntervalMs: number
  /** How long running generations may go on once the runner was told to stop. */
  graceMs: number
  /** Hears when a generation begins, and when it has ended. */
  protection?: Pick<TaskProtection, 'begin'>
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

export interface RunningWorker {
  /**
   * Takes no more jobs, lets running ones finish within the grace time, and hands the rest back. Says `abandoned` when
   * Redis did not take them within the deadline: their locks must run out then, and connections may still be open.
   */
  stop(): Promise<'stopped' | 'abandoned'>
}

/** What one attempt is made with. */
interface AttemptContext {
  context: JobContext
  options: WorkerOptions
  aside: Aside
  /** Fires when the worker was told to stop and its grace time is over. */
  stopping: AbortSignal
  /** Whether the worker was told to stop. */
  isStopping: () => boolean
  whileHeld: <T>(job: Job, work: () => Promise<T>) => Promise<T>
  log: Logger
}

const reporter = (job: Job, log: Logger) => (progress: GenerateImageProgress) =>
  job
    .updateProgress({ ...progress, run: job.attemptsStarted })
    .catch((error: unknown) => log.debug({ err: error, generation: job.id }, 'progress was not recorded'))

const handBack = async ({ whileHeld }: AttemptContext, job: Job, token: string | undefined): Promise<never> => {
  await whileHeld(job, () => job.moveToWait(token))
  throw new WaitingError()
}

/** Leaves it to a runner that serves its model, which its deadline gives the time for. */
const putAside = async (
  { aside, whileHeld, log }: AttemptContext,
  job: Job,
  token: string | undefined,
  error: NotServed
): Promise<never> => {
  const { delayMs, isServed } = await aside.note(job.id ?? '', error.model)
  if (!isServed) await reporter(job, log)({ stage: 'waiting_for_model', progress: null, message: error.message })
  await whileHeld(job, () => job.moveToDelayed(Date.now() + delayMs, token))
  throw new DelayedError()
}

const fail = async ({ options, log }: AttemptContext, job: Job, error: unknown): Promise<never> => {
  const jobError = asJobError(error)
  const { code } = jobError
  const attempt = job.attemptsMade + 1
  const faults = isOwnFault(code) ? await countFault(options, job.id ?? '') : 0
  const decision = decideRetry(code, attempt, faults)
  log.error(
    { err: jobError.cause ?? jobError, generation: job.id, code, attempt, faults, decision: decision.kind },
    'attempt failed'
  )
  const reason = failureReason(jobError, attempt)
  if (decision.kind === 'give-up') throw new UnrecoverableError(reason)
  const waiting = waitingFor(code)
  if (waiting) await reporter(job, log)({ ...waiting, progress: null })
  // A job that an earlier release has queued allows fewer.
  job.opts.attempts = generateImageJob.attempts
  throw new RetryLater(reason, decision.delayMs)
}

const createProcessor = (attempt: AttemptContext) => {
  const { context, stopping, isStopping, log } = attempt
  return async (
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
      // What is stopped with this runner, its sampler among it, says nothing about the generation.
      if (reason === SHUTDOWN || isStopping()) return handBack(attempt, job, token)
      return error instanceof NotServed ? putAside(attempt, job, token, error) : fail(attempt, job, error)
    }
  }
}

/** Images a payload asks for; one that cannot be parsed is refused later and holds nothing up. */
const imagesOf = (data: unknown): number => readPayload(data).payload?.input.num_images ?? 0

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

const backoffStrategy = (_attemptsMade: number, _type?: string, error?: Error): number =>
  error instanceof RetryLater ? error.delayMs : -1

/** Says what becomes of jobs, and lets go of those that others have by now. */
const followJobs = (worker: Worker<unknown, GenerateImageResult>, log: Logger): void => {
  worker.on('completed', (job, { outcome }) => log.info({ generation: job.id, outcome }, 'generation ended'))
  worker.on('lockRenewalFailed', (ids: string[]) => {
    log.warn({ generations: ids }, 'lost the locks of generations')
    for (const id of ids) worker.cancelJob(id, LOCK_LOST)
  })
}

const watchLost = ({ connection, keys, pool, lockDurationMs, stalledIntervalMs }: WorkerOptions, log: Logger): StallWatch =>
  watchStalls({
    redis: connection,
    toKey: (type) => keys.job(queueOfPool(pool), type),
    lockDurationMs,
    intervalMs: stalledIntervalMs,
    onStalled: (generations) => log.warn({ generations }, 'generations lost their runner and wait again'),
    onError: (error) => log.warn({ err: error }, 'lost runners could not be looked for; it is tried again')
  })

/** Whether it was done in time. */
const withinTime = async (closed: Promise<void>, ms: number): ReturnType<RunningWorker['stop']> => {
  const over = new AbortController()
  const deadline = sleep(ms, undefined, { signal: over.signal }).then(
    () => 'abandoned' as const,
    () => 'stopped' as const
  )
  const outcome = await Promise.race([closed.then(() => 'stopped' as const), deadline])
  over.abort()
  return outcome
}

/** Takes generations off the queue. */
export const startWorker = (options: WorkerOptions, context: JobContext, log: Logger, observer: Observer): RunningWorker => {
  const stopping = new AbortController()
  const { connection, keys, pool, graceMs, protection = NO_PROTECTION } = options
  const asideContext = { redis: connection, keys, pool, log }
  const processJobOf = createProcessor({
    context,
    options,
    aside: createAside(asideContext),
    stopping: stopping.signal,
    isStopping: () => worker.closing !== undefined,
    whileHeld: (job, work) => worker.whileHeld(job, work),
    log
  })
  const process = async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
    const isLost = () => signal?.reason === LOCK_LOST
    const end = protection.begin()
    try {
      return await observeAttempt(job, observer, isLost, (listener) => processJobOf(job, token, signal, listener))
    } finally {
      holding.letGo(imagesOf(job.data))
      end()
    }
  }
  const worker = new SteadyWorker<unknown, GenerateImageResult>(queueOfPool(pool), process, {
    // Nothing is fetched before the limit below knows the worker.
    autorun: false,
    connection,
    prefix: keys.bullmq,
    concurrency: options.concurrency,
    lockDuration: options.lockDurationMs,
    drainDelay: DRAIN_DELAY_SECONDS,
    settings: { backoffStrategy },
    onTaken: ({ data }) => holding.take(imagesOf(data)),
    served: { keys, pool, refs: [...context.models.keys()] }
  })
  const holding = limitImages(worker, options)
  restOnRefusal(worker, log)
  followJobs(worker, log)
  worker.prepared.then(() => worker.run()).catch((error: unknown) => log.error({ err: error }, 'the worker ended'))
  const stalls = watchLost(options, log)
  const stopWatchingAside = watchAside(asideContext, [...context.models.values()])
  return {
    stop: async () => {
      stalls.stop()
      stopWatchingAside()
      const timer = setTimeout(() => stopping.abort(SHUTDOWN), graceMs)
      const closed = worker.close().then(() => context.liveEvents.settled())
      return withinTime(closed, graceMs + STOP_DEADLINE_MS).finally(() => clearTimeout(timer))
    }
  }
}
