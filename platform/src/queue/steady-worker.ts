import { ErrorCode, type Job, Worker, type WorkerOptions } from 'bullmq'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { WHEN_FULL, workWhenFull } from '../redis/when-full.ts'
import { type Served, takeServed } from './take-served.ts'

/**
 * Renews the locks of jobs. One that has run out is taken anew if the job is still where its holder left it: nobody else has
 * begun it since, and it does not wait. Replies the ids of jobs that are somebody else's by now, or nobody's.
 * Field names are BullMQ's: `ats` counts the starts of a job.
 */
const HOLD_LOCKS = `${WHEN_FULL}
local active, base, duration, lost = KEYS[1], ARGV[1], ARGV[2], {}
for i = 3, #ARGV, 3 do
  local id, token, start = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = base .. id
  local lock = job .. ':lock'
  local holder = redis.call('GET', lock)
  if holder == token
    or not holder and redis.call('HGET', job, 'ats') == start and redis.call('LPOS', active, id) then
    redis.call('SET', lock, token, 'PX', duration)
  else
    table.insert(lost, id)
  end
end
return lost`

/** A job under way here. */
interface Held {
  token: string
  /** BullMQ's count of starts, this one included. */
  start: number
}

/** BullMQ's error for a job whose lock has run out. */
const isLockMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === ErrorCode.JobLockNotExist

type Process<Data, Result> = (
  job: Job<Data, Result>,
  token: string | undefined,
  signal: AbortSignal | undefined
) => Promise<Result>

export interface SteadyWorkerOptions extends WorkerOptions {
  connection: Redis
  lockDuration: number
  /** Hears of each job as it is taken, before another is asked for. */
  onTaken?: (job: Job) => void
  /** Takes no job of a model that is not served here; left out, any. */
  served?: Served & { keys: RedisKeys }
}

/** A lock is renewed this often while it lasts, so that one that has run out is taken anew soon after an outage. */
const RENEWALS_PER_LOCK = 4

/**
 * A worker whose jobs outlive outages of Redis. A lock that ran out meanwhile is taken anew, so that what was worked on goes on and
 * what is finished is put on record, unless another worker has the job. It looks for no lost jobs of others: `watchStalls` does.
 */
export class SteadyWorker<Data = unknown, Result = unknown> extends Worker<Data, Result> {
  readonly #redis: Redis
  readonly #lockDurationMs: number
  readonly #onTaken: ((job: Job) => void) | undefined
  /** Settles once the scripts of the connection are those this worker needs. Nothing may be fetched before. */
  readonly prepared: Promise<void>
  readonly #held = new Map<string, Held>()

  constructor(name: string, process: Process<Data, Result>, { onTaken, served, ...options }: SteadyWorkerOptions) {
    // Three parameters must be declared: BullMQ passes the signal only to processors that ask for it.
    super(name, (job, token, signal) => process(job, token, signal), {
      ...options,
      lockRenewTime: options.lockDuration / RENEWALS_PER_LOCK,
      skipStalledCheck: true
    })
    this.#redis = options.connection
    this.#lockDurationMs = options.lockDuration
    this.#onTaken = onTaken
    // Once BullMQ has given its scripts to the connection; where it does not come to that, there is nothing to do.
    this.prepared = this.waitUntilReady().then(
      () => {
        workWhenFull(options.connection)
        if (served) takeServed(options.connection, served.keys, served)
      },
      () => undefined
    )
  }

  /** Renews locks, as BullMQ asks for now and then. Resolves with the ids of jobs that are lost. */
  override async extendJobLocks(ids: string[], tokens: string[]): Promise<string[]> {
    const jobs = ids.flatMap((id, position) => [id, tokens[position] ?? '', String(this.#held.get(id)?.start ?? '')])
    const lost = await this.#redis.eval(HOLD_LOCKS, 1, this.toKey('active'), this.toKey(''), this.#lockDurationMs, ...jobs)
    return asIds(lost)
  }

  /** Does what takes a job's lock. Should that have run out, it is taken anew, if the job is still held here, and done then. */
  async whileHeld<T>({ id = '' }: Pick<Job, 'id'>, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const held = this.#held.get(id)
      if (!isLockMissing(error) || !held) throw error
      const lost = await this.extendJobLocks([id], [held.token])
      if (lost.length > 0) throw error
      return work()
    }
  }

  protected override async nextJobFromJobData(...args: Parameters<Worker<Data, Result>['nextJobFromJobData']>) {
    const job = await super.nextJobFromJobData(...args)
    if (job?.id === undefined) return job
    // That runs of it were lost is no reason to give it up, whatever an earlier release has left on it.
    job.deferredFailure = ''
    this.#held.set(job.id, { token: job.token ?? '', start: job.attemptsStarted })
    this.#onTaken?.(job)
    return job
  }

  override async processJob(...args: Parameters<Worker<Data, Result>['processJob']>) {
    const [{ id = '' }] = args
    const held = this.#held.get(id)
    try {
      return await super.processJob(...args)
    } finally {
      // The next one fetched may be the same job again.
      if (this.#held.get(id) === held) this.#held.delete(id)
    }
  }

  protected override handleCompleted(...args: Parameters<Worker<Data, Result>['handleCompleted']>) {
    return this.whileHeld(args[1], () => super.handleCompleted(...args))
  }

  protected override handleFailed(...args: Parameters<Worker<Data, Result>['handleFailed']>) {
    return this.whileHeld(args[1], () => super.handleFailed(...args))
  }
}

/** A script's reply is untyped. */
const asIds = (reply: unknown) => reply as string[]
