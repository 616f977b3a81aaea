import { execFile, execFileSync, type ExecFileSyncOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const REQUIREMENTS = here('../../schemathesis.txt')
const VENV = here('../../../.nextscale/tools/schemathesis')
const DOCUMENT = fileURLToPath(import.meta.resolve('@nextscale/openapi/openapi.json'))
const INSTALL_TIMEOUT_MS = 240_000
const RUN_TIMEOUT_MS = 240_000
const SEED = '20260101'
const MAX_EXAMPLES = '150'

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
  'use_after_free',
  'ensure_resource_availability'
]

const hasPython = (): boolean => {
  try {
    execFileSync('python3', ['-c', 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Why the fuzzer cannot run here; false when it can. */
export const withoutPython: string | false = hasPython()
  ? false
  : 'Python 3.10 or newer with venv is missing (Debian: apt-get install python3-venv)'

/** Installs the pinned fuzzer into an environment of its own, anew whenever the pins change. */
const install = (): string => {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  const stamp = join(VENV, 'installed')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(VENV, { recursive: true, force: true })
    const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_TIMEOUT_MS }
    execFileSync('python3', ['-m', 'venv', VENV], options)
    const pip = ['install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS]
    execFileSync(join(VENV, 'bin', 'pip'), pip, options)
    writeFileSync(stamp, wanted)
  }
  return join(VENV, 'bin', 'schemathesis')
}

/** Sends every operation of the contract what may and may not be sent; returns what it says, with whether all held. */
export const fuzz = (baseUrl: string, headers: readonly string[] = []): Promise<{ held: boolean; report: string }> => {
  const args = ['run', DOCUMENT, '--url', `${baseUrl}/v1`, '--seed', SEED, '--max-examples', MAX_EXAMPLES, '--no-color']
  // A stream of a generation that never ends holds its connection: it is cut, and its headers have been looked at.
  const limits = ['--checks', CHECKS.join(','), '--request-timeout', '10', '--max-failures', '20']
  const sent = headers.flatMap((header) => ['--header', header])
  return new Promise((resolve) => {
    const options = { timeout: RUN_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024, cwd: VENV }
    execFile(install(), [...args, ...limits, ...sent], options, (error, stdout, stderr) =>
      resolve({ held: error === null, report: `${stdout}${stderr}` })
    )
  })
}
