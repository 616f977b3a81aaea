import type { Priority } from '../schemas/generate-request.ts'

/** Priorities of BullMQ that are one apart are this much time apart. */
const UNIT_MS = 300_000
/** 2026-01-01. */
const EPOCH_MS = 1_767_225_600_000
/** BullMQ takes no higher one; time reaches it after 19 years. */
const LIMIT = 2 ** 21 - 1

/**
 * BullMQ priority of a job: the time of its acceptance, later by the head start that others have. BullMQ runs the lowest
 * first, whatever waits, so a job of any priority comes before those accepted some minutes later.
 */
export const virtualPriority = (headStart: Record<Priority, number>, priority: Priority, acceptedAt: number): number => {
  const unit = Math.max(1, Math.floor((acceptedAt - EPOCH_MS) / UNIT_MS))
  return Math.min(unit + headStart[priority], LIMIT)
}
