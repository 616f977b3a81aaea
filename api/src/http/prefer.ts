/** Parts between commas or semicolons that are not inside quotes. */
const split = (text: string, separator: ',' | ';'): string[] =>
  text.match(separator === ',' ? /(?:"(?:[^"\\]|\\.)*"|[^",])+/g : /(?:"(?:[^"\\]|\\.)*"|[^";])+/g) ?? []

const WAIT = /^\s*wait\s*=\s*(?:(\d+)|"(\d+)")\s*$/i

/** Seconds of `wait` in a Prefer header (RFC 7240), at most `maxSeconds`. Undefined: no wait is preferred. */
export const preferredWait = (prefer: string | undefined, maxSeconds: number): number | undefined => {
  for (const preference of split(prefer ?? '', ',')) {
    const [, plain, quoted] = WAIT.exec(split(preference, ';')[0] ?? '') ?? []
    const seconds = plain ?? quoted
    if (seconds !== undefined) return Number(seconds) === 0 ? undefined : Math.min(Number(seconds), maxSeconds)
  }
  return undefined
}
