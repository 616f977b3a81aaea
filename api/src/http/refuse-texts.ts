import { escaped, summarise } from './field-errors.ts'
import { type FieldError, ProblemError } from './problem.ts'
import { shown } from './shown.ts'

const MAX_ERRORS = 20
const NUL = '\u0000'

const faultOf = (text: string): string | undefined => {
  if (text.includes(NUL)) return 'has U+0000, which no text may have. Leave it out.'
  return text.isWellFormed()
    ? undefined
    : 'has one half of a surrogate pair, which is no character. Send both halves, or neither.'
}

const faultsOf = (value: unknown, pointer: string): FieldError[] => {
  if (typeof value === 'string') {
    const fault = faultOf(value)
    return fault === undefined ? [] : [{ pointer, detail: `The text ${fault}` }]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const fault = faultOf(name)
    return fault === undefined
      ? faultsOf(field, `${pointer}/${escaped(name)}`)
      : [{ pointer, detail: `The name ${shown(name)} ${fault}` }]
  })
}

/**
 * Refuses a body with texts that could not be kept as they are: what stores them, hands them to a tokenizer or shows them again would
 * cut them off, or put another character there. JSON can say them, and a schema cannot.
 */
export const refuseTexts = (body: unknown): ProblemError | undefined => {
  const errors = faultsOf(body, '').slice(0, MAX_ERRORS)
  return errors.length === 0 ? undefined : new ProblemError('text_refused', summarise(errors), { errors })
}
