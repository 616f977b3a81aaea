import Type from 'typebox'
import { nullable } from '../schemas/primitives.ts'
import type { Capability, CapabilityTable } from './capability.ts'
import { completeScales, scaleFields } from './derive.ts'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Settings per scale, of all capabilities that can differ from scale to scale. */
export const scheduleOf = <const T extends CapabilityTable>(table: T) => {
  const fields = scaleFields(table)
  const inForce = Type.Object(fields, {
    $id: 'GenerationInputSchedule',
    description: 'Settings per scale; what is `null` follows the plain setting.'
  })
  return {
    kind: 'steering',
    asked: Type.Partial(inForce, {
      additionalProperties: false,
      $id: 'GenerateRequestSchedule',
      description:
        'Settings per scale, coarse to fine, in place of the plain ones. Each array has one entry per scale of the model (`scales`). What is left out, or `null`, follows the plain setting.'
    }),
    description: 'Settings per scale, in place of the plain ones. Left out: the plain ones hold at every scale.',
    value: nullable(inForce, 'Settings per scale; `null`: the plain ones hold at every scale.'),
    neutral: null,
    queued: nullable(Type.Partial(Type.Object(fields))),
    complete: (queued: unknown) => (isObject(queued) ? completeScales(table, queued) : null),
    written: (value: unknown, capabilities: readonly string[]) =>
      isObject(value) ? Object.fromEntries(Object.entries(value).filter(([name]) => capabilities.includes(name))) : value
  } as const satisfies Capability
}
