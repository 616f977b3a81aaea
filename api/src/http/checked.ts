import type { FastifyRequest, HookHandlerDoneFunction } from 'fastify'

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** A hook that goes on unless `check` throws. It makes no promise, since it is run for every request. */
export const checked =
  (check: (request: FastifyRequest) => void) =>
  (request: FastifyRequest, _reply: unknown, next: HookHandlerDoneFunction): void => {
    try {
      check(request)
    } catch (error) {
      return next(asError(error))
    }
    next()
  }
