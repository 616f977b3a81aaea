import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import { renderVariant, VARIANTS } from './support/chart-variants.ts'
import { readAccept } from './support/config.ts'
import { CUSTOM_RESOURCES } from './support/custom-resources.ts'
import { missing } from './support/find-helm.ts'
import { faultsOf, schemasMissing } from './support/hold-against-kubernetes.ts'
import { nameOf } from './support/kubernetes-object.ts'
import { EXAMPLES, lint, readYaml, refusal, render, type Values } from './support/render-chart.ts'
import { summarise } from './support/summarise-objects.ts'

const REDIS = { redis: { url: 'redis://redis:6379' } }
const GOLDEN = join(import.meta.dirname, 'golden')

describe('the chart', { skip: missing }, () => {
  for (const { name, example, values } of VARIANTS)
    it(`has nothing that helm lint warns of: ${name}`, async () => {
      assert.match(await lint(example, values), /1 chart\(s\) linted, 0 chart\(s\) failed/)
    })

  for (const example of EXAMPLES)
    it(`makes of an example what it made before: ${example}`, async () => {
      const file = join(GOLDEN, `helm-${example}.txt`)
      const summary = summarise(await render(example))
      if (readAccept()) await writeFile(file, summary)
      assert.ok(existsSync(file), `ACCEPT=1 writes ${file}`)
      assert.equal(summary, await readFile(file, 'utf8'), 'where this is meant, ACCEPT=1 writes it down')
    })

  it('has no two objects of one kind and name', async () => {
    for (const variant of VARIANTS) {
      const names = (await renderVariant(variant)).map(nameOf)
      assert.ok(names.length > 8)
      assert.deepEqual(
        names.filter((name, place) => names.indexOf(name) !== place),
        [],
        variant.name
      )
    }
  })

  it('gives objects names and labels that Kubernetes takes, also with the longest of release and pool', async () => {
    const objects = await render(undefined, { ...REDIS, pools: [{ name: 'p'.repeat(32) }] }, 'r'.repeat(53))
    const texts = objects.flatMap(({ metadata }) => [metadata.name, ...Object.values(metadata.labels)])
    assert.ok(texts.some((text) => text.length > 60))
    for (const text of texts) assert.match(text, /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/)
  })

  for (const variant of VARIANTS)
    it(`makes custom resources with the fields that their definitions have: ${variant.name}`, async () => {
      const ajv = new Ajv({ strict: false, allErrors: true })
      for (const object of await renderVariant(variant)) {
        const schema = CUSTOM_RESOURCES[object.kind]
        if (schema !== undefined) assert.ok(ajv.validate(schema, object), `${nameOf(object)}: ${ajv.errorsText()}`)
      }
    })

  it('makes each kind of custom resource in one variant or another', async () => {
    const kinds = new Set((await Promise.all(VARIANTS.map(renderVariant))).flat().map(({ kind }) => kind))
    assert.deepEqual(
      Object.keys(CUSTOM_RESOURCES).filter((kind) => !kinds.has(kind)),
      []
    )
  })
})

describe('objects of the chart', { skip: missing || schemasMissing }, () => {
  for (const variant of VARIANTS)
    it(`are what the published schemas of Kubernetes say: ${variant.name}`, async () => {
      const own = (await renderVariant(variant)).filter(({ kind }) => !(kind in CUSTOM_RESOURCES))
      assert.ok(own.length > 8)
      assert.deepEqual(await faultsOf(own), [])
    })

  it('are held against them: a wrong one is found', async () => {
    const [object] = (await render('disk')).filter(({ kind }) => kind === 'Deployment')
    assert.ok(object)
    const faults = await faultsOf([{ ...object, spec: { ...object.spec, replica: 1 } }])
    assert.equal(faults.length, 2)
    for (const fault of faults) assert.match(fault, /Deployment .*replica/)
  })
})

describe('values of the chart', { skip: missing }, () => {
  const refused: readonly [what: string, values: Values, says: RegExp][] = [
    ['nothing that says where Redis is', {}, /Set redis\.existingSecret/],
    ['two places of Redis', { redis: { existingSecret: 'a', url: 'redis://a' } }, /only one can be meant/],
    ['a password in the URL', { redis: { url: 'redis://user:secret@redis:6379' } }, /at '\/redis\/url'/],
    ['a password in the URL of sentinels', { redis: { url: 'redis+sentinel://:secret@a,b/main' } }, /at '\/redis\/url'/],
    ['signed passwords without TLS', { redis: { url: 'redis://a', iam: 'user@cluster' } }, /rediss:\/\//],
    ['a name that is not there', { ...REDIS, replicas: 2 }, /additional properties 'replicas' not allowed/],
    ['one of a lower level', { ...REDIS, api: { autoscaling: { min: 1 } } }, /additional properties 'min' not allowed/],
    ['one of a pool', { ...REDIS, pools: [{ name: 'a', gpus: 1 }] }, /additional properties 'gpus' not allowed/],
    ['a setting that no process has', { ...REDIS, settings: { LOGLEVEL: 'info' } }, /'LOGLEVEL' not allowed/],
    ['a setting of another process', { ...REDIS, api: { settings: { MAX_BATCH: '4' } } }, /'MAX_BATCH' not allowed/],
    ['a number where settings are text', { ...REDIS, api: { settings: { QUEUE_LIMIT: 5 } } }, /got number, want string/],
    ['text where there is a number', { ...REDIS, api: { replicas: 'two' } }, /got string, want integer/],
    ['a choice that is none', { ...REDIS, store: { kind: 'nfs' } }, /at '\/store\/kind'/],
    ['a bucket without a name', { ...REDIS, store: { kind: 's3' } }, /at '\/store\/s3\/bucket'/],
    ['scaling by a Prometheus without address', { ...REDIS, scaling: { by: 'prometheus' } }, /serverAddress/],
    ['an Ingress without a host', { ...REDIS, ingress: { enabled: true } }, /at '\/ingress\/host'/],
    ['the tag latest', { ...REDIS, image: { tag: 'latest' } }, /at '\/image\/tag'/],
    ['a digest that is none', { ...REDIS, image: { digest: 'sha256:12' } }, /at '\/image\/digest'/],
    ['limits without memory', { ...REDIS, poolDefaults: { resources: { limits: { memory: null } } } }, /memory/],
    ['a name that no pool may have', { ...REDIS, pools: [{ name: 'Large' }] }, /at '\/pools\/0\/name'/],
    ['a model of nowhere', { ...REDIS, pools: [{ name: 'a', models: ['models/x'] }] }, /at '\/pools\/0\/models\/0'/],
    ['no pool', { ...REDIS, pools: [] }, /at '\/pools'/],
    ['no list of pools', { ...REDIS, pools: null }, /there is none, and nothing would make pictures/],
    ['a maximum that nothing reaches', { ...REDIS, pools: [{ name: 'a', maxReplicas: 3 }] }, /nothing would scale it/],
    [
      'metrics without a key for those of the API',
      { ...REDIS, monitoring: { enabled: true } },
      /monitoring\.apiKey\.existingSecret/
    ],
    ['a port that policies close', { redis: { url: 'redis://a:6380' } }, /ports lacks 6380/],
    ['ports of sentinels that policies close', { redis: { url: 'redis+sentinel://a:26380,b/main' } }, /ports lacks 26380/],
    [
      'scaling by metrics that nobody collects',
      { ...REDIS, scaling: { by: 'prometheus', prometheus: { serverAddress: 'http://prometheus:9090' } } },
      /Set monitoring\.enabled/
    ],
    ['a pool twice', { ...REDIS, pools: [{ name: 'a' }, { name: 'a' }] }, /two are called "a"/],
    ['a pool that nothing starts', { ...REDIS, pools: [{ name: 'a', minReplicas: 0 }] }, /nothing would ever start/],
    ['a pool whose minimum is above its maximum', { ...REDIS, pools: [{ name: 'a', minReplicas: 3 }] }, /Raise maxReplicas/],
    ['a peer that is none', { ...REDIS, networkPolicy: { redisTo: [{ cidr: '10.0.0.0/8' }] } }, /'cidr' not allowed/]
  ]
  for (const [what, values, says] of refused)
    it(`are refused with the place that is wrong: ${what}`, async () => {
      assert.match(await refusal(values), says)
    })

  it('are refused when any name is misspelt', async () => {
    const validate = new Ajv({ strict: false }).compile((await readYaml('values.schema.json')) as object)
    const values = (await readYaml('values.yaml')) as Values
    assert.ok(validate(values), 'the values of the chart itself')
    let tried = 0
    const misspell = (place: unknown): void => {
      if (typeof place !== 'object' || place === null) return
      const names = place as Record<string, unknown>
      for (const [name, value] of Object.entries(names)) {
        misspell(value)
        // The keys of labels are anyone's.
        if (Array.isArray(place) || /[./]/.test(name)) continue
        delete names[name]
        names[`${name}x`] = value
        assert.equal(validate(values), false, `${name}x is taken`)
        delete names[`${name}x`]
        names[name] = value
        tried++
      }
    }
    misspell(values)
    assert.ok(tried > 120, String(tried))
    assert.ok(validate(values))
  })

  it('have a schema that leaves no object open', async () => {
    const open: string[] = []
    const walk = (place: unknown, path: string): void => {
      if (typeof place !== 'object' || place === null) return
      const schema = place as Record<string, unknown>
      const isMap = typeof schema['additionalProperties'] === 'object' && schema['propertyNames'] !== undefined
      if (schema['type'] === 'object' && schema['additionalProperties'] !== false && !isMap) open.push(path)
      for (const [name, value] of Object.entries(schema)) walk(value, `${path}/${name}`)
    }
    walk(await readYaml('values.schema.json'), '')
    assert.deepEqual(open, ['/properties/global'])
  })
})
