import { SpeltNumber } from './shown.ts'

/** What may be a number that a double holds, or writes, differently: many digits, an exponent, a negative zero. */
const TELLING = /\d{16}|\d\.?\d*[eE]|-0/

const texts = new WeakMap<object, string>()

/** Remembers the text of a body for as long as the body lives, where its numbers may say more than their values. */
export const rememberText = (body: unknown, text: string): void => {
  if (typeof body === 'object' && body !== null && TELLING.test(text)) texts.set(body, text)
}

const isSpeltOtherwise = (value: unknown, source: string | undefined): source is string =>
  typeof value === 'number' && source !== undefined && String(value) !== source

/** TypeScript does not know the third argument of a reviver yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parseWith = (text: string, reviver: Reviver): unknown =>
  JSON.parse(text, reviver as (key: string, value: unknown) => unknown)

/** The body with its numbers as they were spelt; as it is where there is no more to say. */
export const asSpelt = (body: unknown): unknown => {
  const text = typeof body === 'object' && body !== null ? texts.get(body) : undefined
  if (text === undefined) return body
  return parseWith(text, (_key, value, { source }) => (isSpeltOtherwise(value, source) ? new SpeltNumber(source) : value))
}
