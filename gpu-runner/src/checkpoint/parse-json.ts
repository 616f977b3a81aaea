/** What is wrong with a JSON text. The message completes a sentence about the file. */
export class JsonError extends Error {
  override name = 'JsonError'
}

/** Of UTF-8 and of both kinds of UTF-16. */
const BYTE_ORDER_MARKS = ['\xef\xbb\xbf', '\xff\xfe', '\xfe\xff']
/** No file of a model is nested more than a few deep, and each level takes memory. */
const MAX_DEPTH = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where the string that begins at `at` has its closing quote. */
const closingQuote = (bytes: Buffer, at: number): number => {
  let end = at + 1
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1
  return end
}

/** Refuses a name that an object of a valid text has twice: of two readers one would take the first and one the last. */
const refuseTwins = (bytes: Buffer): void => {
  /** Names so far of the objects around; an array has none. */
  const seen: (Set<string> | undefined)[] = []
  const enter = () => {
    if (seen.push(undefined) > MAX_DEPTH) throw new JsonError(`it is nested more than ${MAX_DEPTH} deep`)
  }
  const take = (token: string) => {
    const name = String(JSON.parse(token))
    const names = (seen[seen.length - 1] ??= new Set())
    if (names.has(name)) throw new JsonError(`it has the name ${name} twice`)
    names.add(name)
  }
  let [begin, end] = [0, 0]
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        ;[begin, end] = [at, closingQuote(bytes, at)]
        at = end
        break
      case 0x7b: // {
      case 0x5b: // [
        enter()
        break
      case 0x7d: // }
      case 0x5d: // ]
        seen.pop()
        break
      case 0x3a: // :
        take(bytes.toString('utf8', begin, end + 1))
    }
  }
}

const decodeUtf8 = (bytes: Buffer): string => {
  const head = bytes.toString('latin1', 0, 3)
  if (BYTE_ORDER_MARKS.some((mark) => head.startsWith(mark)))
    throw new JsonError('it begins with a byte order mark, so save it as UTF-8 without one')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new JsonError('it is not UTF-8')
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new JsonError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * The value of a JSON text in UTF-8 that has no name twice.
 * @throws JsonError
 */
export const parseJson = (bytes: Buffer): unknown => {
  const value = parse(decodeUtf8(bytes))
  refuseTwins(bytes)
  return value
}
