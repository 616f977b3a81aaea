import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ImageProtocol } from './terminal/show-image.ts'

export interface CliConfig {
  url: string
  apiKey: string | undefined
  /** How the terminal shows pictures; `undefined` where it cannot. */
  imageProtocol: ImageProtocol | undefined
  /** Whether the terminal knows how to clear a line. */
  canErase: boolean
}

const DEFAULT_URL = 'http://localhost:8080'
/** Of the repository, where this runs in it. */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

const readFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

const addresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((known) => known ?? [])
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address))

/** Whether a URL is of this machine: only then does what the launcher wrote count, and its key is sent to no other. */
const isOfThisMachine = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username } = new URL(url)
  return /^https?:$/.test(protocol) && username === '' && [...LOOPBACK, ...addresses()].includes(hostname)
}

/** What the launcher wrote into its folder: that of the environment, else the one here, else the repository's. */
const readOfLauncher = (name: string, home: string | undefined): string | undefined => {
  const homes = home ? [home, join(ROOT, home)] : [join(process.cwd(), '.nextscale'), join(ROOT, '.nextscale')]
  return homes.map((folder) => readFile(join(folder, name))).find((text) => text !== undefined)
}

const urlOfLauncher = (home: string | undefined): string | undefined => {
  const url = readOfLauncher('api-url', home)
  return url !== undefined && isOfThisMachine(url) ? url : undefined
}

const canErase = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean => {
  const terminal = env['TERM'] ?? ''
  return terminal === '' ? platform === 'win32' : !/^(dumb|unknown)$/.test(terminal)
}

const hasColor = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean => {
  if (env['NO_COLOR']) return false
  const terminal = env['TERM'] ?? ''
  return terminal === '' ? platform === 'win32' : !/^(dumb|unknown|vt\d.*)$/.test(terminal)
}

const imageProtocol = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform): CliConfig['imageProtocol'] => {
  // A multiplexer swallows what it does not know.
  if (!env['TMUX'] && !env['STY']) {
    if (env['KITTY_WINDOW_ID'] || env['TERM'] === 'xterm-kitty' || env['TERM'] === 'xterm-ghostty') return 'kitty'
    if (['iTerm.app', 'WezTerm'].includes(env['TERM_PROGRAM'] ?? '') || env['LC_TERMINAL'] === 'iTerm2') return 'iterm2'
  }
  if (!hasColor(env, platform)) return undefined
  return /^(truecolor|24bit)$/.test(env['COLORTERM'] ?? '') ? 'truecolor' : '256'
}

export const readConfig = (
  options: { url?: string | undefined; 'api-key'?: string | undefined },
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform
): CliConfig => {
  const home = env['NEXTSCALE_HOME']
  const url = options.url ?? (env['NEXTSCALE_URL'] || urlOfLauncher(home) || DEFAULT_URL)
  const ownKey = () => (isOfThisMachine(url) ? readOfLauncher('api-key', home) : undefined)
  const apiKey = options['api-key'] ?? (env['NEXTSCALE_API_KEY'] || ownKey())
  return { url, apiKey, imageProtocol: imageProtocol(env, platform), canErase: canErase(env, platform) }
}
