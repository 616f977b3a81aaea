import Type from 'typebox'
import { MAX_PROMPT_LENGTH } from '../schemas/limits.ts'
import { nullable } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export const negativePrompt = {
  kind: 'subject',
  asked: Type.String({
    minLength: 1,
    maxLength: MAX_PROMPT_LENGTH,
    description: `What the picture is to be led away from, in words: up to ${MAX_PROMPT_LENGTH} characters, not all of them blank.`
  }),
  value: nullable(Type.String({ description: 'What the pictures are led away from, in words; `null`: nothing.' })),
  neutral: null
} as const satisfies Capability
