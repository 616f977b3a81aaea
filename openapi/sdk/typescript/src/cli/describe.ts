import type { Generation } from '../generated/contract.ts'

/** A generation in one line. */
export const describe = ({ id, status, model, input, created_at }: Generation): string =>
  [id, status.padEnd(9), created_at, model, input.class_name ?? input.class_label ?? 'unconditional', `seed ${input.seed}`].join(
    '  '
  )
