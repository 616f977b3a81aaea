import { ProblemError } from './problem.ts'

const RETRY_AFTER_SECONDS = 5

/** A bound on the event streams one process holds open. */
export interface StreamSlots {
  /**
   * Takes a slot and returns the way to give it back.
   * @throws ProblemError `too_many_streams` when there is none.
   */
  enter(): () => void
  open(): number
}

export const createStreamSlots = (limit: number): StreamSlots => {
  let open = 0
  return {
    enter: () => {
      if (open >= limit) {
        const detail = `This server has ${limit} event streams open, and takes no more. Poll urls.self, or try again later.`
        throw new ProblemError('too_many_streams', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      open += 1
      let isOpen = true
      return () => {
        if (isOpen) open -= 1
        isOpen = false
      }
    },
    open: () => open
  }
}
