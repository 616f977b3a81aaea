import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { DEFAULT_POOL, type Model } from '@nextscale/openapi'
import { watchStalls } from '@nextscale/platform'
import { createReadiness, serveMetrics } from '@nextscale/platform/metrics'
import { freePort, until } from '@nextscale/platform/testing'
import { type Backlog, measureBacklog } from '../../api/src/control/backlog.ts'
import { createControlMetrics } from '../../api/src/control/control-metrics.ts'
import { openDeliveryQueue } from '../../api/src/pools/queues.ts'
import { createRunnerRegistry } from '../../api/src/runners/read-runners.ts'
import { modelCard } from '../../api/src/testing/model-card.ts'
import { bodyOf, openTestApp, type TestApp } from '../../api/src/testing/test-app.ts'
import { missing } from './support/find-helm.ts'
import { type KubernetesObject, ofKind, type Trigger } from './support/kubernetes-object.ts'
import { NAMESPACE, render } from './support/render-chart.ts'

const PREFIX = 'studio'
const LOCK_MS = 500
const LARGE = 'large'
const POOLS = [
  { name: DEFAULT_POOL, minReplicas: 0, maxReplicas: 3 },
  { name: LARGE, minReplicas: 0, maxReplicas: 5, generationsPerRunner: 16 }
]

const scaled = (by: string, more: Record<string, unknown> = {}) =>
  render('disk', {
    pools: POOLS,
    redis: { prefix: PREFIX },
    scaling: { by, ...more },
    monitoring: { enabled: true, apiKey: { existingSecret: 'metrics' } }
  })

const scaledObjectOf = (objects: readonly KubernetesObject[], pool: string): KubernetesObject => {
  const found = ofKind(objects, 'ScaledObject').find(({ metadata }) => metadata.labels['nextscale.io/pool'] === pool)
  assert.ok(found, pool)
  return found
}

const triggersOf = (objects: readonly KubernetesObject[], pool: string): Trigger[] =>
  scaledObjectOf(objects, pool).spec.triggers ?? []

const onlyTrigger = (objects: readonly KubernetesObject[], pool: string): Trigger => {
  const [trigger, ...others] = triggersOf(objects, pool)
  assert.ok(trigger)
  assert.deepEqual(others, [])
  return trigger
}

const REDIS = { redis: { address: 'redis.storage.svc:6379', existingSecret: 'keda-redis', tls: true, username: 'keda' } }

describe('runners scaled by KEDA', { skip: missing }, () => {
  for (const [by, more] of [
    ['prometheus', { prometheus: { serverAddress: 'http://prometheus:9090' } }],
    ['metrics-api', {}],
    ['redis', REDIS]
  ] as const)
    it(`come and go between the bounds of their pool, and nobody else counts them: ${by}`, async () => {
      const objects = await scaled(by, more)
      assert.equal(ofKind(objects, 'ScaledObject').length, POOLS.length)
      for (const { name, minReplicas, maxReplicas } of POOLS) {
        const { spec } = scaledObjectOf(objects, name)
        assert.deepEqual([spec['minReplicaCount'], spec['maxReplicaCount']], [minReplicas, maxReplicas])
        const { name: target } = spec['scaleTargetRef'] as { name: string }
        const deployment = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name === target)
        assert.equal(deployment?.metadata.labels['nextscale.io/pool'], name)
        assert.equal(deployment?.spec.replicas, undefined, 'an upgrade would set it back')
        // Nothing is asked of a pool before its first runner has said what it serves.
        assert.ok(Number(spec['initialCooldownPeriod']) >= 600)
      }
    })

  it('are of a fixed number without it', async () => {
    const objects = await render('disk', { pools: [{ name: DEFAULT_POOL, minReplicas: 2, maxReplicas: 2 }] })
    assert.deepEqual(ofKind(objects, 'ScaledObject'), [])
    const runners = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name === 'nextscale-runner-default')
    assert.equal(runners?.spec.replicas, 2)
  })
})

describe('the backlog that the control process tells', { skip: missing }, () => {
  const ofPool = (generations: number) => ({ generations, oldestWaitMs: 0, runners: 0 })
  const backlog: Backlog = {
    deliveries: 0,
    pools: new Map([
      [DEFAULT_POOL, ofPool(3)],
      [LARGE, ofPool(17)]
    ])
  }

  /** What a control process answers at an address of metrics. */
  const answerAt = async (path: string, measured: Backlog | undefined): Promise<string[]> => {
    const metrics = createControlMetrics()
    metrics.set(measured)
    const port = await freePort()
    const close = await serveMetrics(metrics.registry, { host: '127.0.0.1', port }, createReadiness('none'))
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) })
      assert.equal(response.status, 200)
      return (await response.text()).split('\n')
    } finally {
      close()
      metrics.close()
    }
  }

  it('is what metrics-api looks at, by the address of the control process', async () => {
    const objects = await scaled('metrics-api')
    for (const [pool, { generations }] of backlog.pools) {
      const { type, metadata } = onlyTrigger(objects, pool)
      assert.deepEqual([type, metadata['format']], ['metrics-api', 'prometheus'])
      const { hostname, port, pathname } = new URL(metadata['url'] ?? '')
      const service = ofKind(objects, 'Service').find(({ metadata: { name } }) => `${name}.${NAMESPACE}.svc` === hostname)
      assert.equal(service?.metadata.labels['app.kubernetes.io/component'], 'control')
      assert.deepEqual(service?.spec['ports'], [{ name: 'metrics', port: Number(port), targetPort: 'metrics' }])
      assert.ok((await answerAt(pathname, backlog)).includes(`${metadata['valueLocation']} ${generations}`))
      const unknown = (await answerAt(pathname, undefined)).filter((line) => line.startsWith('nextscale_backlog_generations{'))
      assert.deepEqual(unknown, [], 'without Redis there is no number, which is not the same as none to do')
    }
  })

  it('is what is asked of Prometheus, once for all control processes, and what is not known is not nothing', async () => {
    const objects = await scaled('prometheus', { prometheus: { serverAddress: 'http://prometheus:9090' } })
    const monitor = ofKind(objects, 'PodMonitor').find(
      ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === 'control'
    )
    assert.ok(monitor)
    for (const [pool, { generations }] of backlog.pools) {
      const { type, metadata } = onlyTrigger(objects, pool)
      assert.deepEqual([type, metadata['ignoreNullValues']], ['prometheus', 'false'])
      const [, series = '', job, ofQuery] = /^max\((\w+)\{job="([^"]+)",pool="([^"]+)"\}\)$/.exec(metadata['query'] ?? '') ?? []
      assert.deepEqual([job, ofQuery], [`${NAMESPACE}/${monitor.metadata.name}`, pool])
      assert.ok((await answerAt('/metrics', backlog)).includes(`${series}{pool="${pool}"} ${generations}`))
    }
    const elsewhere = await scaled('prometheus', { prometheus: { serverAddress: 'http://p', selector: 'job="own"' } })
    assert.equal(onlyTrigger(elsewhere, LARGE).metadata['query'], 'max(nextscale_backlog_generations{job="own",pool="large"})')
  })
})

describe('the lists in Redis', { skip: missing }, () => {
  let context: TestApp
  before(async () => {
    context = await openTestApp({ REDIS_PREFIX: PREFIX }, [modelCard(), modelCard({ id: LARGE, order: 1 })])
  })
  after(() => context.close())

  /** As KEDA's scaler does: by the type of what is there. */
  const lengthOf = async (list: string): Promise<number> => {
    const { redis } = context
    const type = await redis.type(list)
    if (type === 'none') return 0
    assert.ok(['list', 'zset'].includes(type), type)
    return type === 'list' ? redis.llen(list) : redis.zcard(list)
  }

  const measure = async () => {
    const { redis, keys, queues } = context
    const deliveryQueue = openDeliveryQueue(redis, keys)
    const { pools } = await measureBacklog({ redis, queues, deliveryQueue, runners: createRunnerRegistry({ redis, keys }) })
    await deliveryQueue.close()
    return pools
  }

  /** Says that a pool serves a model, and waits until the API has heard of it. */
  const announce = async (pool: string, id: string) => {
    await context.announceRunner(pool, [{ id, revision: 'r1', image_ms: null, latency_ms: null }])
    const isHeard = async () => bodyOf<Model>(await context.app.inject(`/models/${id}`)).pools.includes(pool)
    await until(`${id} in ${pool}`, isHeard)
  }

  /** Runners that take one generation each and never end it. */
  const hanging = (t: TestContext) => {
    const never = Promise.withResolvers<void>()
    t.after(() => never.resolve())
    const begun: string[] = []
    const startRunner = async () => {
      const count = begun.length
      const runner = await context.runner(async ({ id = '' }) => {
        begun.push(id)
        await never.promise
      }, LARGE)
      await until('another at work', () => begun.length > count)
      return runner
    }
    return { begun, startRunner }
  }

  /** What the control process does with a generation whose runner is lost, once its lock has run out. */
  const putBack = async (id: string) => {
    const { redis, queues } = context
    const toKey = (type: string) => queues.of(LARGE).toKey(type)
    await redis.del(`${toKey(id)}:lock`)
    const lost: string[] = []
    const onError = (error: unknown) => assert.fail(String(error))
    const times = { lockDurationMs: LOCK_MS, intervalMs: 100 }
    const watch = watchStalls({ redis, toKey, ...times, onError, onStalled: (ids) => lost.push(...ids) })
    await until('the return of what lost its runner', () => lost.length > 0).finally(() => watch.stop())
    assert.deepEqual(lost, [id])
  }

  it('have, added up, what there is to do in a pool: what waits, what lost its runner, and what is at work', async (t) => {
    await announce(LARGE, LARGE)
    for (let place = 0; place < 4; place++) await context.generate({ model: LARGE })
    const { begun, startRunner } = hanging(t)
    const lost = await startRunner()
    await startRunner()
    await lost.close(true)
    await putBack(begun[0] ?? '')

    const objects = await scaled('redis', REDIS)
    const lengthsIn = async (pool: string) =>
      Object.fromEntries(
        await Promise.all(
          triggersOf(objects, pool).map(async ({ name, metadata }) => [name, await lengthOf(metadata['listName'] ?? '')])
        )
      ) as Record<string, number>
    const measured = await measure()
    assert.deepEqual(await lengthsIn(LARGE), { returned: 1, waiting: 2, running: 1 })
    assert.equal(measured.get(LARGE)?.generations, 4)
    assert.deepEqual(await lengthsIn(DEFAULT_POOL), { returned: 0, waiting: 0, running: 0 })

    // Those of the default pool, whose queue has another name.
    await announce(DEFAULT_POOL, modelCard().id)
    await context.generate({ model: modelCard().id })
    assert.deepEqual(await lengthsIn(DEFAULT_POOL), { returned: 0, waiting: 1, running: 0 })
    assert.equal((await measure()).get(DEFAULT_POOL)?.generations, 1)
  })

  it('are added up by a formula that names each of them, since of several triggers the greatest counts', async () => {
    const objects = await scaled('redis', REDIS)
    for (const { name, generationsPerRunner = 4 } of POOLS) {
      const { scalingModifiers } = scaledObjectOf(objects, name).spec['advanced'] as { scalingModifiers: Record<string, string> }
      assert.deepEqual(
        scalingModifiers['formula']?.split(' + ').toSorted(),
        triggersOf(objects, name)
          .map((trigger) => trigger.name)
          .toSorted()
      )
      assert.equal(scalingModifiers['target'], String(generationsPerRunner))
    }
  })

  it('are read by a user and a password of their own, which is in a secret', async () => {
    const objects = await scaled('redis', REDIS)
    const [authentication] = ofKind(objects, 'TriggerAuthentication')
    assert.deepEqual(authentication?.spec['secretTargetRef'], [{ parameter: 'password', name: 'keda-redis', key: 'password' }])
    for (const { metadata, authenticationRef } of triggersOf(objects, LARGE)) {
      assert.deepEqual(authenticationRef, { name: authentication?.metadata.name })
      assert.deepEqual([metadata['username'], metadata['enableTLS']], ['keda', 'true'])
    }
  })
})
