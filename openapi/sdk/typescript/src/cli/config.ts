import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface CliConfig {
  url: string
  apiKey: string | undefined
  /** How the terminal shows pictures; `undefined` where it cannot. */
  imageProtocol: 'kitty' | 'iterm2' | undefined
}

const DEFAULT_URL = 'http://localhost:8080'
/** Of the repository, where this runs in it. */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/

const readFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

/** The key the launcher wrote. It is for the server on this machine, and is sent to no other. */
const keyOfLauncher = (url: string, home: string | undefined): string | undefined => {
  if (!LOOPBACK.test(url)) return undefined
  const homes = home ? [home, join(ROOT, home)] : [join(process.cwd(), '.nextscale'), join(ROOT, '.nextscale')]
  return homes.map((folder) => readFile(join(folder, 'api-key'))).find((key) => key !== undefined)
}

const imageProtocol = (env: NodeJS.ProcessEnv): CliConfig['imageProtocol'] => {
  // A multiplexer swallows what it does not know.
  if (env['TMUX'] || env['STY']) return undefined
  if (env['KITTY_WINDOW_ID'] || env['TERM'] === 'xterm-kitty' || env['TERM'] === 'xterm-ghostty') return 'kitty'
  const isKnown = ['iTerm.app', 'WezTerm'].includes(env['TERM_PROGRAM'] ?? '') || env['LC_TERMINAL'] === 'iTerm2'
  return isKnown ? 'iterm2' : undefined
}

export const readConfig = (
  options: { url?: string | undefined; 'api-key'?: string | undefined },
  env: NodeJS.ProcessEnv = process.env
): CliConfig => {
  const url = options.url ?? (env['NEXTSCALE_URL'] || DEFAULT_URL)
  const apiKey = options['api-key'] ?? (env['NEXTSCALE_API_KEY'] || keyOfLauncher(url, env['NEXTSCALE_HOME']))
  return { url, apiKey, imageProtocol: imageProtocol(env) }
}
