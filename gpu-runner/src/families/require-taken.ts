import { isDeepStrictEqual } from 'node:util'
import { CAPABILITIES, type CapabilityName, type GenerationInput } from '@nextscale/openapi'
import { JobError } from '../errors.ts'

/**
 * Holds a generation against what its model takes, as the API did: of what it does not take the settings are the neutral ones.
 * How far it goes and what else is made of it the family judges, since another runner may do that.
 * @throws JobError naming the first setting that the model does not take.
 */
export const requireTaken = (input: GenerationInput, taken: readonly CapabilityName[]): void => {
  for (const [name, { kind, neutral }] of Object.entries(CAPABILITIES)) {
    if (kind === 'product' || taken.some((capability) => capability === name)) continue
    if (!isDeepStrictEqual(Reflect.get(input, name), neutral))
      throw new JobError('invalid_job', `${input.model} takes no ${name}.`)
  }
}
