import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded, startLoad } from './support/drill.ts'
import { type RedisCluster, type RedisWithSentinels, startRedisCluster, startRedisWithSentinels } from './support/redis-groups.ts'
import { until } from './support/until.ts'

/** Any key of a service: all have one hash tag. */
const keyOf = (prefix: string) => `{${prefix}}:models`

describe('two services on one cluster', () => {
  let cluster: RedisCluster
  const services = new Map<string, Deployment>()
  before(async () => {
    cluster = await startRedisCluster()
    // Prefixes whose keys are at different nodes.
    const nodes = new Set<number>()
    for (let name = 0; services.size < 2; name++) {
      const prefix = `stack-${name}`
      const { port } = await cluster.ownerOf(keyOf(prefix))
      if (nodes.has(port)) continue
      nodes.add(port)
      services.set(prefix, await deploy({ env: { REDIS_URL: cluster.url, REDIS_PREFIX: prefix } }))
    }
  })
  after(async () => {
    for (const service of services.values()) await service.close()
    await cluster.stop()
  })

  test('each keeps all of its own at one node, and makes pictures', async () => {
    const all = [...services.entries()]
    const made = await Promise.all(
      all.map(async ([, service]) => {
        const ids = await Promise.all(Array.from({ length: 5 }, async (_, seed) => (await service.client.generate({ seed })).id))
        await assertAllSucceeded(service, ids)
        return ids
      })
    )
    for (const [place, [prefix, service]] of all.entries()) {
      const owner = await cluster.ownerOf(keyOf(prefix))
      assert.ok(Number(await owner.redis.dbsize()) > 0)
      const [other] = made[1 - place] ?? []
      assert.equal((await service.client.send('get', `/v1/generations/${other}`)).status, 404)
    }
  })

  test('when the node of one fails over, nothing that it accepted is lost', async () => {
    const [prefix, service] = [...services.entries()][0] ?? assert.fail()
    const owner = await cluster.ownerOf(keyOf(prefix))
    const { spare } = cluster
    await spare.redis.call('CLUSTER', 'REPLICATE', String(await owner.redis.call('CLUSTER', 'MYID')))
    await until('the replica is in step', async () =>
      String(await spare.redis.info('replication')).includes('master_link_status:up')
    )
    const load = startLoad(service)
    await until('some are accepted', async () => load.accepted.length > 10)
    await spare.redis.call('CLUSTER', 'FAILOVER')
    const before = load.accepted.length
    await until('more are accepted', async () => load.accepted.length > before + 10)
    await assertAllSucceeded(service, await load.stop())
    assert.ok(Number(await spare.redis.dbsize()) > 0)
  })
})

describe('a service whose Redis has sentinels', () => {
  let redis: RedisWithSentinels
  let service: Deployment
  before(async () => {
    redis = await startRedisWithSentinels()
    service = await deploy({ env: { REDIS_URL: redis.url, REDIS_WAIT_REPLICAS: '1' } })
  })
  after(async () => {
    await service.close()
    await redis.stop()
  })

  test('loses nothing that it accepted when the primary dies, and says so while no replica is left', async () => {
    const load = startLoad(service)
    await until('some are accepted', async () => load.accepted.length > 20)
    await redis.primary.stop()
    const accepted = await load.stop()
    const isRead = async () => (await service.client.send('get', '/v1/generations')).status === 200
    await until('the replica has taken over', isRead)
    await assertAllSucceeded(service, accepted)
    const refused = await service.client.send('post', '/generate', (sent) => sent.send({}))
    assert.equal(refused.status, 503)
  })
})
