import Type from 'typebox'
import { nullable } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export const className = {
  kind: 'subject',
  asked: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'Class by its name, matched without regard to case, underscores, hyphens and the width of spaces.'
  }),
  value: nullable(Type.String({ description: 'Name of the class; `null` without one.' })),
  neutral: null
} as const satisfies Capability
