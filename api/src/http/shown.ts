const MOST = 60

/** A number as its JSON spelt it, where a double does not say the same. */
export class SpeltNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const ofObject = (value: object, room: number): string => {
  const isArray = Array.isArray(value)
  let text = isArray ? '[' : '{'
  for (const key of Object.keys(value)) {
    if (text.length > room) return text
    if (text.length > 1) text += ','
    if (!isArray) text += `${JSON.stringify(key.slice(0, room))}:`
    const inner: unknown = Reflect.get(value, key)
    text += beginning(inner, room - text.length)
  }
  return `${text}${isArray ? ']' : '}'}`
}

/** The value as JSON, or a beginning of it that is longer than `room`. Every level takes some of the room, so none is too deep. */
const beginning = (value: unknown, room: number): string => {
  if (room <= 0) return ' '
  if (value instanceof SpeltNumber) return value.text
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room))
  if (typeof value === 'object' && value !== null) return ofObject(value, room)
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
}

/** A value as a sentence shows it: as JSON, cut off where it gets long. */
export const shown = (value: unknown): string => {
  const text = beginning(value, MOST)
  return text.length > MOST ? `${text.slice(0, MOST).toWellFormed()}…` : text
}
