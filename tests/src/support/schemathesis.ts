import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pythonWith } from './python-env.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const REQUIREMENTS = here('../../schemathesis.txt')
const CONFIG = here('../../schemathesis.toml')
const HOOKS = here('../../schemathesis_hooks.py')
const RUN_TIMEOUT_MS = 240_000

interface Ran {
  ok: boolean
  stdout: string
  stderr: string
}

const run = (command: string, args: readonly string[], options: { timeout: number; cwd?: string; env?: NodeJS.ProcessEnv }) =>
  new Promise<Ran>((resolve) => {
    execFile(command, args, { maxBuffer: 64 * 1024 * 1024, ...options }, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout, stderr })
    )
  })

export interface Target {
  baseUrl: string
  key: string
  /** Where the webhooks of all requests are sent that would be sent anywhere. */
  receiver: string
  /** The contract as the fuzzer reads it. */
  document: object
  /** Added to `schemathesis.toml`. */
  config: string
  /** Options of the command. */
  options?: readonly string[]
}

/** Sends every operation of the contract what may and may not be sent; returns what it says, with whether all held. */
export const fuzz = async ({
  baseUrl,
  key,
  receiver,
  document,
  config,
  options = []
}: Target): Promise<{ held: boolean; report: string }> => {
  const schemathesis = join(dirname(await pythonWith(REQUIREMENTS)), 'schemathesis')
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-fuzz-'))
  try {
    await writeFile(join(folder, 'openapi.json'), JSON.stringify(document))
    await writeFile(
      join(folder, 'schemathesis.toml'),
      `hooks = ${JSON.stringify(HOOKS)}\n${await readFile(CONFIG, 'utf8')}\n${config}`
    )
    const args = ['--config-file', 'schemathesis.toml', 'run', 'openapi.json', '--url', `${baseUrl}/v1`, '--no-color', ...options]
    const env = { ...process.env, NEXTSCALE_API_KEY: key, FUZZ_RECEIVER: receiver, PYTHONDONTWRITEBYTECODE: '1' }
    const { ok, stdout, stderr } = await run(schemathesis, args, { timeout: RUN_TIMEOUT_MS, cwd: folder, env })
    return { held: ok, report: `${stdout}${stderr}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
