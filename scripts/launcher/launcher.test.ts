import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { choosePort, freeLoopbackPort } from './choose-port.ts'
import { readConfig } from './config.ts'
import { StartError } from './start-error.ts'
import { exampleCommand } from './greet.ts'
import { identifyProcess, isRunning, type ProcessIdentity } from './identify-process.ts'
import { lockHome } from './lock-home.ts'
import { linePrinter } from './print-lines.ts'
import { planRestart } from './plan-restart.ts'
import { startRedis } from './start-redis.ts'
import { stopProcess } from './stop-process.ts'
import { type Program, supervise } from './supervise.ts'

const homes: string[] = []
const newHome = async () => {
  const home = await mkdtemp(join(tmpdir(), 'nextscale-launcher-'))
  homes.push(home)
  return home
}
after(() => Promise.all(homes.map((home) => rm(home, { recursive: true }))))

const quietLines = () => {
  const out = new PassThrough()
  return { lines: linePrinter({ out, color: false }), out }
}

describe('configuration', () => {
  it('keeps data in .nextscale of the repository unless told otherwise', () => {
    assert.match(readConfig({}).home, /^\/.*\/\.nextscale$/)
    assert.equal(readConfig({ NEXTSCALE_HOME: '/data/x' }).home, '/data/x')
  })

  it('gives the children absolute directories and readable logs', () => {
    const { childEnv } = readConfig({ NEXTSCALE_HOME: '/data/x' })
    assert.equal(childEnv['OBJECT_DIR'], '/data/x/objects')
    assert.equal(childEnv['CACHE_DIR'], '/data/x/cache')
    assert.equal(childEnv['MODELS_CACHE_DIR'], '/data/x/models')
    assert.equal(childEnv['LOG_FORMAT'], 'pretty')
  })

  for (const port of ['abc', '0', '70000', '80.5', '-1']) {
    it(`refuses PORT=${port} with a sentence`, () => assert.throws(() => readConfig({ PORT: port }), StartError))
  }
})

describe('choosing a port', () => {
  it('takes the next free one when none was asked for, and refuses a busy one that was', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    assert.ok((await choosePort(undefined, '127.0.0.1', address.port)) > address.port)
    await assert.rejects(choosePort(address.port, '127.0.0.1'), /in use.*PORT/)
    await assert.rejects(choosePort(address.port, '0.0.0.0'), /in use/)
    server.close()
    await once(server, 'close')
    assert.equal(await choosePort(address.port, '127.0.0.1'), address.port)
  })
})

describe('the lock of a data directory', () => {
  it('refuses a second launcher and names the first', async () => {
    const home = await newHome()
    const lock = lockHome(home)
    assert.throws(() => lockHome(home), new RegExp(`already running in ${home} \\(pid ${process.pid}\\)`))
    lock.release()
    lockHome(home).release()
    assert.deepEqual(readdirSync(home), [])
  })

  it('is closed to other users, also where an earlier release left it open', async () => {
    const home = await newHome()
    chmodSync(home, 0o755)
    lockHome(home).release()
    assert.equal(statSync(home).mode & 0o777, 0o700)
    const fresh = join(home, 'deep', 'fresh')
    lockHome(fresh).release()
    assert.equal(statSync(fresh).mode & 0o777, 0o700)
  })

  it('that cannot be made is a sentence that names the setting', () => {
    for (const home of ['/dev/null/home', '/etc/hostname'])
      assert.throws(
        () => lockHome(home),
        (error: unknown) =>
          error instanceof StartError && /^The data directory cannot be made .* set NEXTSCALE_HOME/.test(error.message)
      )
  })

  it('says where the API is for as long as it is held', async () => {
    const home = await newHome()
    const lock = lockHome(home)
    lock.tell('http://localhost:8081')
    assert.equal(readFileSync(join(home, 'api-url'), 'utf8'), 'http://localhost:8081\n')
    lock.release()
    assert.deepEqual(readdirSync(home), [])
  })

  it('is taken over from a dead launcher, together with what that left running', async () => {
    const home = await newHome()
    const left = spawn('sleep', ['60'])
    assert.ok(left.pid !== undefined)
    const launcher = { pid: 2 ** 22 + 1, started: '1' }
    writeFileSync(join(home, 'launcher.lock'), JSON.stringify({ launcher, children: { redis: identifyProcess(left.pid) } }))
    const lock = lockHome(home)
    assert.deepEqual(lock.leftovers, [identifyProcess(left.pid)])
    left.kill()
    lock.release()
  })

  it('is taken over when the pid belongs to a later process, or the file is damaged', async () => {
    const home = await newHome()
    for (const content of [JSON.stringify({ launcher: { pid: process.pid, started: '1' }, children: {} }), '{']) {
      writeFileSync(join(home, 'launcher.lock'), content)
      lockHome(home).release()
    }
  })

  it('stays released when a child is noted late', async () => {
    const home = await newHome()
    const lock = lockHome(home)
    lock.record('api', identifyProcess(process.pid))
    lock.release()
    lock.record('api', undefined)
    assert.equal(existsSync(join(home, 'launcher.lock')), false)
  })
})

describe('printing lines', () => {
  it('puts the speaker in front of every line, in colour only when asked', async () => {
    for (const color of [false, true]) {
      const out = new PassThrough()
      const said = new PassThrough()
      linePrinter({ out, color }).follow('api', said)
      said.end('one\n\u001b[2Jt\u001b]0;title\u0007w\u009b31mo\r')
      await sleep(10)
      out.end()
      const name = color ? '\u001b[36mapi     \u001b[0m' : 'api     '
      assert.equal(await text(out), `${name} one\n${name} two\n`)
    }
  })
})

describe('restarting', () => {
  it('waits longer each time and gives up after a few quick failures in a row', () => {
    const delays: number[] = []
    let failures = 0
    for (;;) {
      const plan = planRestart({ failures, ranMs: 10 })
      failures = plan.failures
      if (plan.kind === 'give-up') break
      delays.push(plan.delayMs)
    }
    assert.deepEqual(delays, [500, 1000, 2000, 4000])
  })

  it('forgets failures once the child ran for a minute', () => {
    assert.deepEqual(planRestart({ failures: 4, ranMs: 60_000 }), { kind: 'restart', failures: 1, delayMs: 500 })
  })

  const program = (script: string): Program => ({
    name: 'runner',
    command: process.execPath,
    args: ['-e', script],
    cwd: tmpdir(),
    env: process.env,
    stopTimeoutMs: 2000
  })

  it('gives a child up at once that says it does not start as it is set', async () => {
    const out = new PassThrough()
    const lines = linePrinter({ out, color: false })
    const supervised = supervise({ program: program('process.exit(78)'), lines, record: () => undefined })
    await once(supervised.gaveUp, 'abort', { signal: AbortSignal.timeout(5_000) })
    await supervised.stop()
    out.end()
    assert.equal(await text(out), 'launcher runner does not start as it is set, and starting it again would change nothing.\n')
  })

  it('starts a killed child again, and not once it was stopped', async () => {
    const { lines } = quietLines()
    const seen: ProcessIdentity[] = []
    const restarted = Promise.withResolvers<undefined>()
    const record = (_name: string, child?: ProcessIdentity) => {
      if (!child) return
      seen.push(child)
      if (seen.length === 1) process.kill(child.pid, 'SIGKILL')
      else restarted.resolve(undefined)
    }
    const child = supervise({ program: program('setInterval(() => {}, 1000)'), lines, record })
    await restarted.promise
    await child.stop()
    assert.deepEqual(seen.filter(isRunning), [])
    assert.equal(seen.length, 2)
  })

  it('kills a child that does not end, with what that child started', async () => {
    const script =
      "process.on('SIGTERM', () => {}); const c = require('child_process').spawn('sleep', ['60']); console.log(c.pid); setInterval(() => {}, 1000)"
    const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    const [first] = (await once(child.stdout, 'data')) as [Buffer]
    const grandchild = identifyProcess(Number(first.toString()))
    assert.ok(child.pid !== undefined && isRunning(grandchild))
    assert.equal(await stopProcess(identifyProcess(child.pid), { timeoutMs: 200 }), 'killed')
    await sleep(100)
    assert.equal(isRunning(grandchild), false)
  })
})

describe('the private Redis', () => {
  it('keeps what was stored across a restart, except the models announced before', async () => {
    const home = await newHome()
    const { lines } = quietLines()
    const start = () => startRedis({ home, prefix: 'test', lines, record: () => undefined, stop: new AbortController().signal })
    const before = await start()
    const redis = new Redis(before.url)
    await redis.set('job', 'kept')
    await redis.hset('{test}:models', 'old', '{}')
    assert.equal(((await redis.config('GET', 'maxmemory-policy')) as string[])[1], 'noeviction')
    redis.disconnect()
    await before.server.stop()
    const again = await start()
    const reader = new Redis(again.url)
    assert.equal(await reader.get('job'), 'kept')
    assert.equal(await reader.exists('{test}:models'), 0)
    reader.disconnect()
    await again.server.stop()
  })

  it('is on a port that was free', async () => {
    const port = await freeLoopbackPort()
    assert.equal(await choosePort(port, '127.0.0.1'), port)
  })
})

describe('the example', () => {
  it('is valid shell', async () => {
    for (const className of [undefined, 'fox']) {
      const shell = spawn('bash', [
        '-n',
        '-c',
        exampleCommand(
          'http://localhost:8080',
          className === undefined ? undefined : { class_name: className },
          className && 'ns_a_b'
        )
      ])
      const [code] = (await once(shell, 'exit')) as [number]
      assert.equal(code, 0)
    }
  })
})
