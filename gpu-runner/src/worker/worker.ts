import { type GenerateImageProgress, type GenerateImageResult, generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { decideRetry } from './decide-retry.ts'
import { asJobError, codeOf, failureReason } from './failure.ts'
import { type JobContext, processJob } from './process-job.ts'

export interface WorkerOptions {
  connection: Redis
  keys: RedisKeys
  concurrency: number
  lockDurationMs: number
  stalledIntervalMs: number
  /** How long running generations may go on once the runner was told to stop. */
  graceMs: number
}

/** A generation that lost its runner this often is given up: it may be what kills them. */
const MAX_STALLED_COUNT = 3

/** Why a job’s signal is aborted from here. */
const SHUTDOWN = 'shutdown'
const LOCK_LOST = 'lock-lost'

const reporter = (job: Job, log: Logger) => (progress: GenerateImageProgress) =>
  job
    .updateProgress(progress)
    .catch((error: unknown) => log.debug({ err: error, generation: job.id }, 'progress was not recorded'))

export interface RunningWorker {
  /** Takes no more jobs, lets running ones finish within the grace time, and hands the rest back. */
  stop(): Promise<void>
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

// Three parameters must be declared: BullMQ passes the signal only to processors that ask for it.
const createProcessor =
  (context: JobContext, log: Logger) =>
  async (job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<GenerateImageResult> => {
    const generation = { id: job.id ?? '', data: job.data as unknown, report: reporter(job, log) }
    try {
      return await processJob(generation, context, signal ?? new AbortController().signal)
    } catch (error) {
      const reason: unknown = signal?.aborted ? signal.reason : undefined
      if (reason === SHUTDOWN) return handBack(job, token)
      // Another runner has the job by now; whatever this one reports is refused.
      if (reason === LOCK_LOST) throw error
      return fail(job, error, log)
    }
  }

const backoffStrategy = (attemptsMade: number, _type?: string, error?: Error): number => {
  const decision = decideRetry(codeOf(error?.message), attemptsMade)
  return decision.kind === 'retry' ? decision.delayMs : -1
}

/** Takes generations off the queue. */
export const startWorker = (options: WorkerOptions, context: JobContext, log: Logger): RunningWorker => {
  const worker = new Worker<unknown, GenerateImageResult>(generateImageJob.queue, createProcessor(context, log), {
    connection: options.connection,
    prefix: options.keys.bullmq,
    concurrency: options.concurrency,
    lockDuration: options.lockDurationMs,
    stalledInterval: options.stalledIntervalMs,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: { backoffStrategy }
  })
  worker.on('error', (error) => log.warn({ err: error }, 'queue error'))
  worker.on('completed', (job, { outcome }) => log.info({ generation: job.id, outcome }, 'generation ended'))
  worker.on('stalled', (id) => log.warn({ generation: id }, 'generation lost its runner and waits again'))
  worker.on('lockRenewalFailed', (ids: string[]) => {
    log.warn({ generations: ids }, 'lost the locks of generations')
    for (const id of ids) worker.cancelJob(id, LOCK_LOST)
  })
  const stop = async (): Promise<void> => {
    const closed = worker.close()
    const timer = setTimeout(() => worker.cancelAllJobs(SHUTDOWN), options.graceMs)
    await closed.finally(() => clearTimeout(timer))
  }
  return { stop }
}
