/*
 * What scripts here read and write of BullMQ's, beside its own code. BullMQ promises none of it: `bullmq-names.test.ts` runs jobs
 * through a real queue and fails where an update has changed a name or its meaning.
 */

/** Fields of a job's hash. Times are Unix ms. */
export const JOB_FIELDS = {
  /** Its payload, as JSON. */
  data: 'data',
  /** When it was added. */
  timestamp: 'timestamp',
  /** When a worker last took it up. */
  processedOn: 'processedOn',
  /** When it ended; absent until then. */
  finishedOn: 'finishedOn',
  /** What its worker returned, as JSON. */
  returnValue: 'returnvalue',
  /** The message of its last error. */
  failedReason: 'failedReason',
  /** What its worker last told of its progress, as JSON. */
  progress: 'progress',
  /** How often it was started, and how many of these attempts have ended. */
  starts: 'ats',
  attemptsEnded: 'atm',
  /** How often its worker was lost. */
  lostRuns: 'stc',
  /** Its priority, 0 for none, and for how many ms it was put off last. */
  priority: 'priority',
  delay: 'delay',
  /** A failure that its next worker is to fail it with. */
  deferredFailure: 'defa',
  /** Key of the job that waits for its end. */
  parentKey: 'parentKey'
} as const

/** Keys that a job has beside its hash, as ends of that one's name. */
export const JOB_KEYS = {
  /** String: the token of the worker that has it, for as long as that renews it. */
  lock: ':lock',
  /** List: lines of its log. */
  logs: ':logs',
  /** Set: keys of the jobs that it waits for. */
  dependencies: ':dependencies'
} as const

/** Keys of a queue. */
export const QUEUE_KEYS = {
  /** Lists of ids: the right end of `wait` is taken next, before any of `prioritized`. */
  wait: 'wait',
  active: 'active',
  /** Sorted sets of ids: by priority and order, by `DELAYED_UNITS_PER_MS`, by the time of the end in ms, or by that of the add. */
  prioritized: 'prioritized',
  delayed: 'delayed',
  completed: 'completed',
  failed: 'failed',
  waitingChildren: 'waiting-children',
  /** Counts what was put into `prioritized`, for the order of those of one priority. */
  priorityCounter: 'pc',
  /** Sorted set: has a member `0` when there is something to take, and a member `1` by the time in ms at which something is due. */
  marker: 'marker',
  /** Stream of what happens to jobs. */
  events: 'events'
} as const

/** Delayed jobs are scored by the time in ms at which they are due times this and, within it, a counter. */
export const DELAYED_UNITS_PER_MS = 0x1000

/** Scripts whose text is made part of others. Those whose name begins with `add` add jobs, or lines to a log. */
export const SCRIPTS = ['removeJob'] as const
/** Scripts that fetch the next job, by `RPOPLPUSH` of `wait`, or else by `ZPOPMIN` of `prioritized`, after which they may `DEL` its counter. */
export const FETCHING_SCRIPTS = ['moveToActive', 'moveToFinished', 'moveToDelayed'] as const
