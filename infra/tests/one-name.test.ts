import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type Deployment, deploy } from '../../tests/src/support/deployment.ts'
import { freePort } from '../../tests/src/support/free-port.ts'
import { until } from '../../tests/src/support/until.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')
const skip = spawnSync('nginx', ['-v']).status === 0 ? false : 'there is no nginx in PATH'
const TRIES = 100

/** The block of the guide. */
const guide = async (first: string, other: string, port: number): Promise<string> => {
  const [, block = ''] = /```nginx\n([\s\S]*?)```/.exec(await readFile(join(ROOT, 'infra', 'README.md'), 'utf8')) ?? []
  assert.match(block, /listen 80;/)
  const own = block
    .replace('first.internal:8080', new URL(first).host)
    .replace('second.internal:8080', new URL(other).host)
    .replace('listen 80', `listen 127.0.0.1:${port}`)
  const folder =
    'client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; access_log off;'
  return `daemon off; pid nginx.pid; error_log stderr; events {}\nhttp { ${folder}\n${own}\n}`
}

/** Keys are made until one is of the service that makes it. */
const keyOf = async (service: Deployment, isFirst: boolean): Promise<string> => {
  for (let made = 0; made < TRIES; made++) {
    const { stdout } = await run(
      process.execPath,
      [join(ROOT, 'api/src/keys/cli/start.ts'), 'create', '--name', `k${made}`, '--scopes', 'generate,read'],
      {
        env: { PATH: process.env['PATH'], REDIS_URL: service.redis.url }
      }
    )
    const [token = ''] = /ns_\S+/.exec(stdout) ?? []
    if (/^ns_[a-i]/.test(token) === isFirst) return token
  }
  throw new Error('no key of that kind was drawn')
}

const services: Deployment[] = []
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextscale-one-name-'))
  if (skip === false) for (const _ of [1, 2]) services.push(await deploy())
})
after(async () => {
  for (const service of services) await service.close()
  await rm(folder, { recursive: true, force: true })
})

test('two services behind one name: each key is at its own, for all that it asks', { skip }, async (t) => {
  const [first, second] = services
  assert.ok(first && second)
  const port = await freePort()
  await writeFile(join(folder, 'nginx.conf'), await guide(first.baseUrl, second.baseUrl, port))
  const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' })
  const ended = once(nginx, 'exit')
  t.after(async () => {
    nginx.kill('SIGTERM')
    await ended
  })
  const name = `http://127.0.0.1:${port}`
  await until('nginx listens', async () => (await fetch(`${name}/healthz`).catch(() => undefined))?.ok)
  const made: string[] = []
  for (const [place, service] of services.entries()) {
    const headers = { authorization: `Bearer ${await keyOf(service, place === 0)}`, 'content-type': 'application/json' }
    const answer = await fetch(`${name}/generate`, { method: 'POST', headers: { ...headers, prefer: 'wait=30' }, body: '{}' })
    const { id, status } = (await answer.json()) as { id: string; status: string }
    assert.equal(status, 'succeeded')
    const list = (await (await fetch(`${name}/v1/generations`, { headers })).json()) as { data: { id: string }[] }
    assert.deepEqual(
      list.data.map((each) => each.id),
      [id]
    )
    made.push(id)
    if (place === 1) assert.equal((await fetch(`${name}/v1/generations/${made[0]}`, { headers })).status, 404)
  }
})
