import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { freePort } from '@nextscale/platform/testing'
import { buildImage, buildPackages } from './support/build-image.ts'
import { composeUp, type Stack } from './support/compose-up.ts'
import { missing } from './support/podman.ts'
import { readServices } from './support/read-compose.ts'
import { hasLabel, labelsIn, metricsIn, namesIn, readQueries } from './support/read-metrics.ts'
import { runContainer } from './support/start-container.ts'

const BUILD_MS = 12 * 60_000
const UP_MS = 2 * 60_000
const PNG = '89504e47'
/** Debian's Redis, by the names that Valkey's programs have: there may be no registry of images. */
const VALKEY = 'RUN ln -s redis-server /usr/bin/valkey-server && ln -s redis-cli /usr/bin/valkey-cli && mkdir -p /data'
const RESTARTED = ['redis', 'api', 'control', 'runner']
const READ_METRICS = `fetch('http://127.0.0.1:9400/metrics').then((answer) => answer.text()).then(console.log)`

describe('the services of compose.yaml', { skip: missing }, () => {
  const project = `nextscale-test-compose-${process.pid}`
  let stack: Stack
  let url: string
  let key: string
  let image: string

  before(
    async () => {
      image = await buildImage('nextscale')
      const port = String(await freePort())
      const services = await readServices({ NEXTSCALE_IMAGE: image, PORT: port })
      await buildPackages(services['redis']?.image ?? '', 'redis-server', VALKEY)
      stack = await composeUp(services, project)
      url = `http://127.0.0.1:${port}`
      for (const name of stack.order.filter((service) => service !== 'key')) await stack.healthy(name)
      key = (await stack.service('key').logs()).trim()
    },
    { timeout: BUILD_MS + UP_MS }
  )
  after(() => stack.close())

  const makePicture = async (seed: number) => {
    const response = await fetch(`${url}/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, accept: 'image/png', 'content-type': 'application/json' },
      body: JSON.stringify({ class_name: 'fox', seed }),
      signal: AbortSignal.timeout(30_000)
    })
    const body = Buffer.from(await response.arrayBuffer())
    assert.equal(response.status, 200, body.toString('utf8', 0, 500))
    assert.equal(body.toString('hex', 0, 4), PNG)
  }

  it('make a picture with the first key', () => makePicture(7))

  for (const [index, name] of RESTARTED.entries()) {
    it(`make another after a restart of ${name}`, { timeout: UP_MS }, async () => {
      await stack.service(name).restart()
      for (const service of RESTARTED) await stack.healthy(service)
      await makePicture(10 + index)
    })
  }

  it('export every metric and label that the dashboard and the alerts ask for', async () => {
    const command = 'nextscale keys ensure --file /tmp/key --name prometheus --scopes admin'.split(' ')
    const made = await runContainer({ image, command, network: project, env: { REDIS_URL: 'redis://redis:6379' } })
    const authorization = `Bearer ${made.stdout.trim()}`
    const api = await fetch(`${url}/metrics`, { headers: { authorization }, signal: AbortSignal.timeout(5000) })
    assert.equal(api.status, 200, made.stderr)
    const ofOthers = await Promise.all(
      ['control', 'runner'].map(async (name) => (await stack.service(name).exec('node', '-e', READ_METRICS)).stdout)
    )
    const text = [await api.text(), ...ofOthers].join('\n')
    const names = namesIn(text)
    const queries = await readQueries()
    assert.ok(queries.length > 20)
    for (const query of queries) {
      assert.deepEqual(
        metricsIn(query).filter((name) => !names.has(name)),
        [],
        query.title
      )
      assert.deepEqual(
        labelsIn(query).filter((label) => !hasLabel(text, label)),
        [],
        query.title
      )
    }
  })

  it('stop in order, each with 0', { timeout: UP_MS }, async () => {
    for (const name of stack.order.filter((service) => service !== 'key').toReversed()) {
      const service = stack.service(name)
      assert.equal(await service.stop(), 0, `${name}: ${(await service.logs()).slice(-2000)}`)
    }
  })
})
