/** Parts between commas or semicolons that are not inside quotes. */
const split = (text: string, separator: ',' | ';'): string[] =>
  text.match(separator === ',' ? /(?:"(?:[^"\\]|\\.)*"|[^",])+/g : /(?:"(?:[^"\\]|\\.)*"|[^";])+/g) ?? []

/** RFC 7240 wants a number and takes an empty value for none; clients of other services send none for a wait that may be long. */
const WAIT = /^\s*wait\s*(?:=\s*(?:(\d*)|"(\d*)")\s*)?$/i

/** Seconds of `wait` in a Prefer header, `maxSeconds` at most and where it names none. Undefined: no wait is preferred. */
export const preferredWait = (prefer: string | undefined, maxSeconds: number): number | undefined => {
  for (const preference of split(prefer ?? '', ',')) {
    const wait = WAIT.exec(split(preference, ';')[0] ?? '')
    if (!wait) continue
    const seconds = wait[1] || wait[2] || String(maxSeconds)
    return Number(seconds) === 0 ? undefined : Math.min(Number(seconds), maxSeconds)
  }
  return undefined
}
