/** A call that takes a request, as it should look. */
interface Expected {
  method: 'generate' | 'generateAndWait' | 'continue'
  request: unknown
}

const call = ({ method, request }: Expected): string => {
  if (method === 'continue') return 'continue(id, { keep_scales: 3 })'
  const text = JSON.stringify(typeof request === 'string' ? request : 'fox')
  return ['class_name', 'prompt'].map((field) => `${method}({ ${field}: ${text} })`).join(' or ')
}

/**
 * Compilers see this, JavaScript does not.
 * @throws TypeError for a request that is no object.
 */
export const checkRequest = (expected: Expected): void => {
  const { method, request } = expected
  if (typeof request === 'object' && request !== null && !Array.isArray(request)) return
  throw new TypeError(`${method} takes its settings in an object: write ${call(expected)}.`)
}
