import { ProblemError } from '../http/problem.ts'

const RETRY_AFTER_SECONDS = 5

/** A bound on the event streams and waits that one process holds open, whoever has them. */
export interface StreamSlots {
  /**
   * Takes a slot and returns the way to give it back.
   * @throws ProblemError `too_many_streams` when there is none.
   */
  enter(): () => void
}

export const createStreamSlots = (limit: number): StreamSlots => {
  let open = 0
  return {
    enter: () => {
      if (open >= limit) {
        const detail = `This server has ${limit} event streams and waits open, and takes no more. Read without \`wait\`, or try again later.`
        throw new ProblemError('too_many_streams', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      open += 1
      let isOpen = true
      return () => {
        if (isOpen) open -= 1
        isOpen = false
      }
    }
  }
}
