/** A body as `withoutNulls` leaves it: only fields in `Kept` may still be `null`. */
export type WithoutNulls<T, Kept extends PropertyKey = never> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]: K extends Kept ? T[K] : WithoutNulls<Exclude<T[K], null>> }
    : T

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

const without = (value: unknown, kept: readonly string[]): unknown => {
  if (!isObject(value)) return value
  const fields = Object.entries(value).filter(([name, field]) => field !== null || kept.includes(name))
  return Object.fromEntries(fields.map(([name, field]) => [name, without(field, [])]))
}

/**
 * A body that fits its schema, without the fields that `null` leaves out, so that no handler can tell the two apart. A `null` in
 * an array is an entry and stays. `kept` names the fields whose `null` is a value.
 */
export const withoutNulls = <T, Kept extends string = never>(body: T, kept: readonly Kept[]): WithoutNulls<T, Kept> =>
  without(body, kept) as WithoutNulls<T, Kept>
