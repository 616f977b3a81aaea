import { ProblemError } from '../http/problem.ts'
import type { Requested } from './requested.ts'

/** A text that says something. */
export const resolvePrompt = (request: Requested, field: 'prompt' | 'negative_prompt'): string | null => {
  const text = request[field]
  if (text === undefined) return null
  if (text.trim() !== '') return text
  const detail = `${field} is blank. Say something, or leave it out.`
  throw new ProblemError('text_refused', detail, { errors: [{ pointer: `/${field}`, detail }] })
}
