import { ConnectionError, NextscaleError } from '../errors.ts'
import { UsageError } from './command.ts'
import { argumentAt, inOwnWords } from './own-words.ts'

/** Exit codes: 1 it was refused or failed, 2 the command line is wrong, 130 it was interrupted. */
export const FAILED = 1
export const MISUSED = 2
export const INTERRUPTED = 130

const KEY_HINT =
  'Give a key with --api-key or NEXTSCALE_API_KEY; `npm start` keeps that of a server on this machine in .nextscale/api-key.'

/** How a key is sent is the client's business. */
const SENT_AS = / Send it as `Authorization: [^`]*`; (`nextscale keys create`[^.]*)\./

const asSentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`)

const hint = (error: NextscaleError): string => {
  if (error instanceof ConnectionError) return ' Start it with `npm start`, or name another with --url or NEXTSCALE_URL.'
  if (error.code === 'unauthorized') return ` ${KEY_HINT}`
  // Most details say the fields at fault already.
  const isSaid = (field: string, detail: string) => detail === error.detail || error.detail.includes(field)
  const unsaid = error.errors.filter(({ pointer, detail }) => !isSaid(`${pointer}: ${detail}`, detail))
  return unsaid.map(({ pointer, detail }) => ` ${argumentAt(pointer)}: ${inOwnWords(detail)}`).join('')
}

/** Shorter waits are over before one has read why. */
const WORTH_SAYING_MS = 2000

/** Why nothing happens meanwhile; `undefined` where it is over at once. */
export const explainRetry = ({ detail }: NextscaleError, delayMs: number): string | undefined =>
  delayMs < WORTH_SAYING_MS ? undefined : `${inOwnWords(detail)} Trying again in ${Math.ceil(delayMs / 1000)} s; Ctrl-C gives up.`

/** An error in one line that says what to do, and its exit code. */
export const explain = (error: unknown): { line: string; exitCode: number } => {
  if (error instanceof UsageError) return { line: error.message, exitCode: MISUSED }
  if (error instanceof NextscaleError) {
    const detail = inOwnWords(error.detail.replace(SENT_AS, ' $1.'))
    return { line: `${asSentence(detail)}${hint(error)}`.replaceAll(/\s*\n\s*/g, ' '), exitCode: FAILED }
  }
  return { line: error instanceof Error ? error.message : String(error), exitCode: FAILED }
}
