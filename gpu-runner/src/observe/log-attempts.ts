import type { Logger } from 'pino'
import type { Observer } from './observer.ts'

/** A line for each attempt with its times. */
export const logAttempts = (log: Logger): Observer => ({
  batch: ({ scaleMs: _scaleMs, ...record }) => log.debug(record, 'batch'),
  attempt: ({ generation, model, images, outcome, code, queuedAt, begunAt, endedAt }) =>
    log.debug(
      { generation, model, images, outcome, code, queue_ms: begunAt - queuedAt, attempt_ms: endedAt - begunAt },
      'attempt ended'
    )
})
