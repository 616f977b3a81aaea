import type { GenerationInput } from '../schemas/generation-input.ts'

/** The end that a deadline puts to a generation, and when, in Unix ms. */
export interface Lapse {
  outcome: 'expired' | 'deadline'
  at: number
}

type Deadlines = Pick<GenerationInput, 'deadline_seconds' | 'start_deadline_seconds'>

/** Unix time in ms at which a generation that is not finished is canceled. */
export const deadlineOf = ({ deadline_seconds: seconds }: Deadlines, createdAt: number): number => createdAt + seconds * 1000

/**
 * The deadline that ended a generation before a runner takes it up, null when none has. API and runners decide by it, both
 * by the clock of Redis. The start deadline counts until the first start; of two that passed, the earlier was the end.
 */
export const lapseOf = (deadlines: Deadlines, createdAt: number, hasStarted: boolean, now: number): Lapse | null => {
  const deadline = deadlineOf(deadlines, createdAt)
  const { start_deadline_seconds: startSeconds } = deadlines
  const startDeadline = startSeconds === null || hasStarted ? Number.POSITIVE_INFINITY : createdAt + startSeconds * 1000
  if (now < Math.min(deadline, startDeadline)) return null
  return startDeadline <= deadline ? { outcome: 'expired', at: startDeadline } : { outcome: 'deadline', at: deadline }
}
