import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { startRedis, temporaryFolder } from '@nextscale/platform/testing'
import { readConfig } from '../../gpu-runner/src/config.ts'
import { renderVariant, VARIANTS } from './support/chart-variants.ts'
import { environmentOf } from './support/environment-of.ts'
import { missing } from './support/find-helm.ts'
import { nameOf, ofKind, podsOf } from './support/kubernetes-object.ts'
import { render } from './support/render-chart.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const USER = 10001
/** What runners have beside their grace time: Redis takes work back within 5 s, and then what was opened is closed. */
const MARGIN_SECONDS = 10
/** Of the API, once its port is closed. */
const CLOSING_SECONDS = 8

describe('pods of the chart', { skip: missing }, () => {
  for (const variant of VARIANTS) {
    it(`run as nobody in particular, with nothing to write to but their volumes: ${variant.name}`, async () => {
      for (const { of, spec, container } of podsOf(await renderVariant(variant))) {
        const { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile } = spec.securityContext
        assert.deepEqual(
          { runAsNonRoot, runAsUser, runAsGroup, fsGroup, seccompProfile },
          { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, seccompProfile: { type: 'RuntimeDefault' } },
          of
        )
        assert.deepEqual(
          container.securityContext,
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
          of
        )
        for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers']) assert.equal(spec[field], undefined, of)
        const written = container.volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath)
        assert.deepEqual(
          written.filter((path) => !['/tmp', '/cache', '/data'].includes(path)),
          [],
          of
        )
        assert.ok(written.includes('/tmp'), of)
      }
    })

    it(`get no token of the cluster, no variables of other services, and an account of their own: ${variant.name}`, async () => {
      const objects = await renderVariant(variant)
      const accounts = ofKind(objects, 'ServiceAccount')
      for (const account of accounts) assert.equal(Reflect.get(account, 'automountServiceAccountToken'), false)
      for (const { of, component, spec } of podsOf(objects)) {
        assert.equal(spec.automountServiceAccountToken, false, of)
        assert.equal(spec.enableServiceLinks, false, of)
        const account = accounts.find(({ metadata }) => metadata.name === spec.serviceAccountName)
        assert.equal(account?.metadata.labels['app.kubernetes.io/component'], component, of)
      }
    })

    it(`state what they need and may take, and a version of the image: ${variant.name}`, async () => {
      for (const { of, container } of podsOf(await renderVariant(variant))) {
        for (const bound of ['requests', 'limits'] as const)
          for (const resource of ['cpu', 'memory'])
            assert.ok(container.resources[bound][resource], `${of}: ${bound} of ${resource}`)
        assert.match(container.image, /:\d+\.\d+\.\d+$|@sha256:[0-9a-f]{64}$/, of)
        const gpus = (['requests', 'limits'] as const).map((bound) => container.resources[bound]['nvidia.com/gpu'])
        const provider = container.env.find(({ name }) => name === 'EXECUTION_PROVIDER')?.value
        assert.deepEqual(gpus, provider === 'cuda' ? [1, 1] : [undefined, undefined], of)
      }
    })

    it(`are asked whether they live and are ready, at the port at which they say so: ${variant.name}`, async (t) => {
      for (const pod of podsOf(await renderVariant(variant))) {
        const { of, component, container } = pod
        if (component === 'first-key') continue
        const env = await environmentOf(pod, await temporaryFolder(t))
        const port = Number(component === 'api' ? env['PORT'] : env['METRICS_PORT'])
        assert.equal(component === 'api' ? env['HOST'] : env['METRICS_HOST'], '0.0.0.0', of)
        assert.deepEqual(
          container.ports?.map(({ containerPort }) => containerPort),
          [port],
          of
        )
        const named = container.ports?.[0]?.name
        for (const [probe, path] of [
          ['startupProbe', '/healthz'],
          ['livenessProbe', '/healthz'],
          ['readinessProbe', '/readyz']
        ] as const)
          assert.deepEqual(container[probe]?.httpGet, { path, port: named }, `${of}: ${probe}`)
      }
    })

    it(`have the time to end in that their processes take: ${variant.name}`, async (t) => {
      for (const pod of podsOf(await renderVariant(variant))) {
        const env = await environmentOf(pod, await temporaryFolder(t))
        const grace = pod.spec.terminationGracePeriodSeconds
        const needed = {
          api: () => Number(env['SHUTDOWN_DELAY_MS']) / 1000 + CLOSING_SECONDS,
          control: () => Number(env['WEBHOOK_TIMEOUT_MS'] ?? 15_000) / 1000,
          runner: () => readConfig(env).graceMs / 1000 + MARGIN_SECONDS,
          'first-key': () => 0
        }[pod.component]
        assert.ok(needed)
        assert.ok(grace > needed(), `${pod.of} has ${grace} s and needs ${needed()}`)
      }
    })

    it(`read secrets from files of secrets, with none in an object: ${variant.name}`, async () => {
      const objects = await renderVariant(variant)
      assert.deepEqual(ofKind(objects, 'Secret'), [])
      for (const { of, spec, container } of podsOf(objects)) {
        for (const { name, value } of container.env) {
          if (!/SECRET|PASSWORD|KEYS|CREDENTIALS|REDIS_URL_FILE|CA_FILE/.test(name)) continue
          assert.match(value ?? '', /^\/secrets\/|^arn:/, `${of}: ${name}`)
        }
        for (const { name, secret } of spec.volumes) {
          if (secret === undefined) continue
          assert.equal(secret.defaultMode, 0o440, of)
          const mounts = container.volumeMounts.filter((mount) => mount.name === name)
          assert.deepEqual(mounts, [{ name, mountPath: `/secrets/${name}`, readOnly: true }], of)
        }
      }
      assert.doesNotMatch(JSON.stringify(objects), /:\/\/[^/"\s]*:[^/"\s]*@/)
    })

    it(`are found by their own selectors alone: ${variant.name}`, async () => {
      const objects = await renderVariant(variant)
      const pods = podsOf(objects)
      const fits = (wanted: Record<string, string>) =>
        pods.filter(({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value)).map(({ of }) => of)
      for (const deployment of ofKind(objects, 'Deployment'))
        assert.deepEqual(fits(deployment.spec.selector?.matchLabels ?? {}), [nameOf(deployment)])
      const services = ofKind(objects, 'Service')
      for (const service of services) {
        const component = service.metadata.labels['app.kubernetes.io/component'] ?? ''
        const found = fits(service.spec.selector as unknown as Record<string, string>)
        assert.equal(found.length, 1, nameOf(service))
        assert.match(found[0] ?? '', new RegExp(`-${component}$`))
      }
      assert.ok(services.length >= 1)
    })
  }

  it('of runners do not wait for a GPU that only they could free', async () => {
    const strategies = ofKind(await render('gpu'), 'Deployment').map(({ metadata, spec }) => [metadata.name, spec['strategy']])
    const surge = (maxSurge: number) => ({ type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 1 - maxSurge } })
    assert.deepEqual(Object.fromEntries(strategies), {
      'nextscale-api': surge(1),
      'nextscale-control': surge(1),
      'nextscale-runner-small': surge(1),
      'nextscale-runner-large': surge(0)
    })
  })
})

describe('a pool', { skip: missing }, () => {
  it('takes back what pools have by default, also with nothing, false and zero', async () => {
    const poolDefaults = {
      gpu: 1,
      models: ['s3://models/large/1'],
      cache: { hostPath: '/var/lib/nextscale' },
      runtimeClassName: 'nvidia',
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
      graceSeconds: 9
    }
    const bare = { gpu: 0, models: [], cache: { hostPath: '' }, runtimeClassName: '', tolerations: [], graceSeconds: 0 }
    const objects = await render('disk', { poolDefaults, pools: [{ name: 'bare', ...bare }, { name: 'full' }] })
    const seen = podsOf(objects).flatMap(({ of, spec, container }) => {
      const value = (wanted: string) => container.env.find(({ name }) => name === wanted)?.value
      const cache = spec.volumes.find(({ name }) => name === 'cache')
      const { runtimeClassName, tolerations } = spec
      const gpu = container.resources.limits['nvidia.com/gpu']
      const facts = { gpu, models: value('MODELS'), grace: value('GRACE_MS'), folder: cache?.hostPath?.path, runtimeClassName }
      return of.includes('runner') ? [[of, { ...facts, tolerates: tolerations !== undefined }]] : []
    })
    const nothing = { gpu: undefined, models: undefined, grace: '0', folder: undefined, runtimeClassName: undefined }
    assert.deepEqual(Object.fromEntries(seen), {
      'Deployment nextscale-runner-bare': { ...nothing, tolerates: false },
      'Deployment nextscale-runner-full': {
        gpu: 1,
        models: 's3://models/large/1',
        grace: '9000',
        folder: '/var/lib/nextscale',
        runtimeClassName: 'nvidia',
        tolerates: true
      }
    })
  })
})

describe('the Ingress', { skip: missing }, () => {
  const HOST = { enabled: true, host: 'pictures.example.com' }
  it('of nginx hands events on as they come, and waits for an hour', async () => {
    const [ingress] = ofKind(await render('disk', { ingress: { ...HOST, annotations: { 'example.com/own': 'x' } } }), 'Ingress')
    const annotations = ingress?.metadata.annotations ?? {}
    assert.equal(annotations['nginx.ingress.kubernetes.io/proxy-buffering'], 'off')
    assert.equal(annotations['nginx.ingress.kubernetes.io/proxy-read-timeout'], '3600')
    assert.equal(annotations['nginx.ingress.kubernetes.io/proxy-send-timeout'], '3600')
    assert.equal(annotations['example.com/own'], 'x')
    assert.equal(ingress?.spec['ingressClassName'], 'nginx')
  })

  it('of Traefik goes by a transport that waits for an hour, and which its Service names', async () => {
    const objects = await render('disk', { ingress: { ...HOST, controller: 'traefik', tlsSecret: 'tls' } })
    const [transport] = ofKind(objects, 'ServersTransport')
    const [service] = ofKind(objects, 'Service')
    const [ingress] = ofKind(objects, 'Ingress')
    assert.deepEqual(transport?.spec, { forwardingTimeouts: { dialTimeout: '5s', responseHeaderTimeout: '3600s' } })
    assert.equal(
      service?.metadata.annotations?.['traefik.ingress.kubernetes.io/service.serverstransport'],
      `${transport.metadata.namespace}-${transport.metadata.name}@kubernetescrd`
    )
    assert.deepEqual(ingress?.metadata.annotations, { 'traefik.ingress.kubernetes.io/router.entrypoints': 'websecure' })
  })

  it('is where URLs in answers lead, unless they are to lead elsewhere', async () => {
    const urlWith = async (values: Record<string, unknown>) => {
      const pods = podsOf(await render('disk', { ...values })).filter(({ component }) => ['api', 'control'].includes(component))
      const urls = pods.map(({ container }) => container.env.find(({ name }) => name === 'PUBLIC_URL')?.value)
      assert.equal(urls.length, 2)
      assert.equal(urls[0], urls[1])
      return urls[0]
    }
    assert.equal(await urlWith({}), undefined)
    assert.equal(await urlWith({ ingress: HOST }), 'http://pictures.example.com')
    assert.equal(await urlWith({ ingress: { ...HOST, tlsSecret: 'tls' } }), 'https://pictures.example.com')
    assert.equal(await urlWith({ ingress: HOST, api: { publicUrl: 'https://a.example/b' } }), 'https://a.example/b')
  })
})

describe('the job that makes the first key', { skip: missing }, () => {
  it('comes before all else, with its account and its network policy, and its log goes after a day', async () => {
    const hooks = (await render('disk')).filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] !== undefined)
    assert.deepEqual(hooks.map(nameOf).toSorted(), [
      'Job nextscale-first-key',
      'NetworkPolicy nextscale-first-key',
      'ServiceAccount nextscale-first-key'
    ])
    const weightOf = (kind: string) => Number(ofKind(hooks, kind)[0]?.metadata.annotations?.['helm.sh/hook-weight'])
    for (const { metadata } of hooks) assert.equal(metadata.annotations?.['helm.sh/hook'], 'pre-install,pre-upgrade')
    assert.ok(weightOf('ServiceAccount') < weightOf('Job') && weightOf('NetworkPolicy') < weightOf('Job'))
    assert.equal(ofKind(hooks, 'Job')[0]?.spec['ttlSecondsAfterFinished'], 86_400)
    assert.deepEqual(ofKind(await render('disk', { firstKey: { enabled: false } }), 'Job'), [])
  })

  it('prints one when there is none, and nothing when it runs again', async (t) => {
    const redis = await startRedis()
    t.after(() => redis.stop())
    const folder = await temporaryFolder(t)
    const [pod] = podsOf(await render('disk', { firstKey: { name: 'studio', scopes: 'admin' } })).filter(
      ({ component }) => component === 'first-key'
    )
    assert.ok(pod)
    const env = await environmentOf(pod, folder)
    await writeFile(env['REDIS_URL_FILE'] ?? '', redis.url)
    const [program, command, ...words] = pod.container.args
    assert.deepEqual([program, command], ['nextscale', 'keys'])
    const runAs = async (pass: string) => {
      // Each pod has a /tmp of its own.
      const tmp = join(folder, pass)
      await mkdir(tmp)
      const args = words.map((word) => word.replace(/^\/tmp\//, `${tmp}/`))
      const start = join(ROOT, 'api', 'src', 'keys', 'cli', 'start.ts')
      const { stdout } = await promisify(execFile)(process.execPath, [start, ...args], { env, timeout: 30_000 })
      return stdout.trim()
    }
    assert.match(await runAs('first'), /^ns_\w+$/)
    assert.equal(await runAs('again'), '')
    const records = await redis.redis.hvals('{nextscale}:api-keys')
    assert.equal(records.length, 1)
    assert.match(records[0] ?? '', /"name":"studio"/)
  })
})
