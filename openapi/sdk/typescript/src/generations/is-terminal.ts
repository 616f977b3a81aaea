import { GenerationFailed } from '../errors.ts'
import type { Generation } from '../generated/contract.ts'

/** Whether nothing will change any more. */
export const isTerminal = ({ status }: Generation): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled' || status === 'expired'

/** @throws GenerationFailed when it ended without a picture. */
export const assertSucceeded = (generation: Generation): Generation => {
  if (generation.status !== 'succeeded') throw new GenerationFailed(generation)
  return generation
}
