import { type GenerateImageProgress, type GenerateImageResult, type GenerationError, generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { Compile } from 'typebox/compile'
import { JobError } from '../errors.ts'
import { decideRetry } from './decide-retry.ts'
import { Interruption } from './interruption.ts'
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

const ErrorReason = Compile(generateImageJob.error)

const asJobError = (error: unknown): JobError =>
  error instanceof JobError ? error : new JobError('internal_error', 'The generation failed.', error)

/** The stored reason of a failure is a GenerationError; the code in it decides what happens next. */
const failureReason = ({ code, message }: JobError, attempt: number): string => {
  const retryable = code !== 'invalid_job'
  const reason: GenerationError = { code, message: attempt > 1 ? `${message} (attempt ${attempt})` : message, retryable }
  return JSON.stringify(reason)
}

const codeOf = (reason: string | undefined): GenerationError['code'] => {
  try {
    const parsed: unknown = JSON.parse(reason ?? '')
    return ErrorReason.Check(parsed) ? parsed.code : 'internal_error'
  } catch {
    return 'internal_error'
  }
}

const reporter = (job: Job, log: Logger) => (progress: GenerateImageProgress) =>
  job.updateProgress(progress).catch((error: unknown) => log.debug({ err: error, generation: job.id }, 'progress was not recorded'))

export interface RunningWorker {
  /** Takes no more jobs, lets running ones finish within the grace time, and hands the rest back. */
  stop(): Promise<void>
}

/** Takes generations off the queue. */
export const startWorker = (options: WorkerOptions, context: JobContext, log: Logger): RunningWorker => {
  const handBack = async (job: Job, token: string | undefined): Promise<never> => {
    await job.moveToWait(token)
    throw new WaitingError()
  }

  const fail = (job: Job, error: unknown): never => {
    const jobError = asJobError(error)
    const attempt = job.attemptsMade + 1
    const decision = decideRetry(jobError.code, attempt)
    log.error({ err: jobError.cause ?? jobError, generation: job.id, code: jobError.code, attempt, decision: decision.kind }, 'attempt failed')
    const reason = failureReason(jobError, attempt)
    throw decision.kind === 'retry' ? new Error(reason) : new UnrecoverableError(reason)
  }

  // Three parameters must be declared: BullMQ passes the signal only to processors that ask for it.
  const process = async (job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<GenerateImageResult> => {
    const generation = { id: job.id ?? '', data: job.data as unknown, report: reporter(job, log) }
    try {
      return await processJob(generation, context, signal ?? new AbortController().signal)
    } catch (error) {
      const reason = signal?.aborted ? signal.reason : undefined
      if (reason === 'shutdown') return handBack(job, token)
      // Another runner has the job by now; whatever this one reports is refused.
      if (reason === 'lock-lost') throw new Interruption('lock-lost')
      return fail(job, error)
    }
  }

  const worker = new Worker<unknown, GenerateImageResult>(generateImageJob.queue, process, {
    connection: options.connection,
    prefix: options.keys.bullmq,
    concurrency: options.concurrency,
    lockDuration: options.lockDurationMs,
    stalledInterval: options.stalledIntervalMs,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: {
      backoffStrategy: (attemptsMade, _type, error) => {
        const decision = decideRetry(codeOf(error?.message), attemptsMade)
        return decision.kind === 'retry' ? decision.delayMs : -1
      }
    }
  })
  worker.on('error', (error) => log.warn({ err: error }, 'queue error'))
  worker.on('completed', (job, result) => log.info({ generation: job.id, outcome: result.outcome }, 'generation ended'))
  worker.on('stalled', (id) => log.warn({ generation: id }, 'generation lost its runner and waits again'))
  worker.on('lockRenewalFailed', (ids: string[]) => {
    log.warn({ generations: ids }, 'lost the locks of generations')
    for (const id of ids) worker.cancelJob(id, 'lock-lost')
  })

  const stop = async (): Promise<void> => {
    const closed = worker.close()
    const timer = setTimeout(() => worker.cancelAllJobs('shutdown'), options.graceMs)
    await closed.finally(() => clearTimeout(timer))
  }
  return { stop }
}
