import type { Generation } from '../generated/contract.ts'
import { describeSubject } from './capabilities/describe-subject.ts'

/** A generation in one line. */
export const describe = ({ id, status, model, input, created_at }: Generation): string =>
  [id, status.padEnd(9), created_at, model, describeSubject(input), `seed ${input.seed}`].join('  ')
