import { ConnectionError, NextscaleError } from '../errors.ts'
import { UsageError } from './command.ts'

/** Exit codes: 1 it was refused or failed, 2 the command line is wrong, 130 it was interrupted. */
export const FAILED = 1
export const MISUSED = 2
export const INTERRUPTED = 130

const hint = (error: NextscaleError): string => {
  if (error instanceof ConnectionError) return ' Start it with `npm start`, or name another with --url or NEXTSCALE_URL.'
  if (error.code === 'unauthorized') return ' Give a key with --api-key or NEXTSCALE_API_KEY.'
  return error.errors.map(({ pointer, detail }) => ` ${pointer}: ${detail}`).join('')
}

/** An error in one line that says what to do, and its exit code. */
export const explain = (error: unknown): { line: string; exitCode: number } => {
  if (error instanceof UsageError) return { line: error.message, exitCode: MISUSED }
  if (error instanceof NextscaleError) {
    const known = error.detail.endsWith('.') || error.detail.endsWith('?') ? error.detail : `${error.detail}.`
    return { line: `${known}${hint(error)}`.replaceAll(/\s*\n\s*/g, ' '), exitCode: FAILED }
  }
  return { line: error instanceof Error ? error.message : String(error), exitCode: FAILED }
}
