import Type from 'typebox'
import { MAX_PROMPT_LENGTH } from '../schemas/limits.ts'
import { nullable } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export const prompt = {
  kind: 'subject',
  asked: Type.String({
    minLength: 1,
    maxLength: MAX_PROMPT_LENGTH,
    description: `What the picture shows, in words, of a model that takes them: up to ${MAX_PROMPT_LENGTH} characters, not all of them blank. Without it the picture is of nothing in particular.`
  }),
  value: nullable(Type.String({ description: 'What the pictures show, in words; `null`: nothing in particular.' })),
  neutral: null
} as const satisfies Capability
