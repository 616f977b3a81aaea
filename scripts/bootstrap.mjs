// Runs a script of this folder, or a workspace's command, under the pinned Node, after bringing up to date what that needs.
// Itself it must run on Node 20 with nothing installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants as os } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const bin = join(modules, '.bin')
const pinnedNode = join(modules, 'node', 'bin', 'node')
const stampFile = join(modules, '.nextscale-installed')
const POLICY_FILE = '/usr/sbin/policy-rc.d'

/** Scripts that start no service. */
const WITHOUT_REDIS = ['generate.ts', 'audit.ts']

/** Whether it is a workspace's command: it needs no Redis, and its arguments name files from where its user stands. */
const isCommand = (script) => script.startsWith('..')

const say = (text) => console.error(text)

const fail = (text, code = 1) => {
  say(text)
  process.exit(code)
}

const run = (command, args, options = {}) => {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (signal) process.exit(128 + os.signals[signal])
  return { ok: status === 0, reason: error?.message ?? `exit code ${status}` }
}

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)

const onPath = (names) =>
  names.some((name) =>
    (process.env.PATH ?? '').split(delimiter).some((folder) => {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  )

/**
 * npm links a package's programs only when they exist, and with `ignore-scripts` the Node package is still empty then.
 * `node` is looked up anew: the one that runs this may be the pinned one, which npm ci has just removed.
 */
const installPinnedNode = () => {
  const options = { cwd: join(modules, 'node'), encoding: 'utf8' }
  const { status, stdout, stderr, error } = spawnSync('node', ['installArchSpecificPackage.js'], options)
  if (status !== 0 || !existsSync(pinnedNode)) {
    fail(`${stdout ?? ''}${stderr ?? ''}The pinned Node could not be installed${error ? `: ${error.message}` : '; see above'}.`)
  }
  rmSync(join(bin, 'node'), { force: true })
  symlinkSync(join('..', 'node', 'bin', 'node'), join(bin, 'node'))
}

const installHooks = () => {
  if (process.env.CI || !existsSync(join(root, '.git'))) return
  const { status } = spawnSync(join(bin, 'lefthook'), ['install'], { cwd: root, stdio: 'ignore' })
  if (status !== 0) say('The commit hooks could not be installed; everything else works without them.')
}

const ensureDependencies = () => {
  const lock = read(join(root, 'package-lock.json')) ?? fail('package-lock.json is missing.')
  const wanted = createHash('sha256').update(`${lock}${process.platform}${process.arch}`).digest('hex')
  const found = read(stampFile)
  if (found === wanted && existsSync(pinnedNode) && existsSync(join(bin, 'node'))) return
  say(found ? 'Dependencies have changed: running npm ci.' : 'Dependencies are not installed yet: running npm ci.')
  rmSync(stampFile, { force: true })
  const { ok, reason } = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (!ok) fail(`npm ci failed (${reason}).`)
  installPinnedNode()
  installHooks()
  writeFileSync(stampFile, wanted)
}

/** Debian starts and enables a system-wide Redis on installation; Nextscale runs its own, so neither is wanted. */
const aptInstallRedis = () => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const ownPolicy = !existsSync(POLICY_FILE)
  if (ownPolicy) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const update = spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2], env })
    if (update.status !== 0) return false
    const packages = ['install', '-qq', '-y', '--no-install-recommends', 'redis-server']
    return spawnSync('apt-get', packages, { stdio: ['ignore', 2, 2], env }).status === 0
  } finally {
    if (ownPolicy) rmSync(POLICY_FILE, { force: true })
    if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', 'redis-server'], { stdio: 'ignore' })
  }
}

const ensureRedis = (script) => {
  if (isCommand(script) || WITHOUT_REDIS.includes(script)) return
  const isTest = script.startsWith('test')
  if (!isTest && process.env.REDIS_URL) return
  const servers = isTest ? ['redis-server'] : ['redis-server', 'valkey-server']
  if (onPath(servers)) return
  const advice = isTest ? '' : ', or set REDIS_URL to a Redis that is already running'
  if (process.getuid?.() === 0 && onPath(['apt-get'])) {
    say('redis-server is missing: installing it with apt-get.')
    if (aptInstallRedis() && onPath(servers)) return
    fail(`redis-server could not be installed with apt-get, see above. Install it${advice}.`)
  }
  fail(`redis-server is missing. Install it (Debian: sudo apt-get install redis-server; macOS: brew install redis)${advice}.`)
}

const runScript = (script, args) => {
  const cwd = isCommand(script) ? process.cwd() : root
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
  const child = spawn(pinnedNode, [join(root, 'scripts', script), ...args], { cwd, stdio: 'inherit', env })
  let isHungUp = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      isHungUp ||= signal === 'SIGHUP'
      child.kill(signal)
    })
  child.on('error', (error) => fail(`${pinnedNode} does not start: ${error.message}`))
  child.on('exit', (code, signal) => {
    // Node 20 aborts at its exit where it would set a terminal back that is gone: the signal ends it without.
    if (isHungUp) {
      process.removeAllListeners('SIGHUP')
      return process.kill(process.pid, 'SIGHUP')
    }
    process.exit(code ?? 128 + os.signals[signal])
  })
}

const [script, ...args] = process.argv.slice(2)
if (!script || !existsSync(join(root, 'scripts', script))) fail(`There is no scripts/${script ?? '<name>.ts'}.`)
// With a handler the process outlives Ctrl-C long enough to clean up after the program it was waiting for.
const stay = () => undefined
process.on('SIGINT', stay)
ensureDependencies()
ensureRedis(script)
process.off('SIGINT', stay)
runScript(script, args)
