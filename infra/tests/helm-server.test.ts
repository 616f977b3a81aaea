import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '@nextscale/platform/testing'
import { renderVariant, VARIANTS } from './support/chart-variants.ts'
import { CUSTOM_RESOURCES } from './support/custom-resources.ts'
import { missing } from './support/find-helm.ts'
import { type KubernetesObject, nameOf, podsOf } from './support/kubernetes-object.ts'
import { CHART, exampleOf, runHelm } from './support/render-chart.ts'
import { type ApiServer, serverMissing, startApiServer } from './support/start-api-server.ts'

const FIRST_KEY = '-first-key'
const JOB_DEADLINE_MS = 60_000

/** Where objects of each kind of a chart are kept. */
const PLACES: Readonly<Record<string, string>> = {
  Deployment: 'apis/apps/v1/namespaces/NS/deployments',
  Job: 'apis/batch/v1/namespaces/NS/jobs',
  Service: 'api/v1/namespaces/NS/services',
  ServiceAccount: 'api/v1/namespaces/NS/serviceaccounts',
  PersistentVolumeClaim: 'api/v1/namespaces/NS/persistentvolumeclaims',
  NetworkPolicy: 'apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
  Ingress: 'apis/networking.k8s.io/v1/namespaces/NS/ingresses',
  PodDisruptionBudget: 'apis/policy/v1/namespaces/NS/poddisruptionbudgets',
  HorizontalPodAutoscaler: 'apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers'
}

interface CustomKind {
  properties: { apiVersion: { const: string }; kind: { const: string } }
}

/** The definition of a custom resource that takes any fields: which it may have, another test says. */
const definitionOf = (schema: CustomKind) => {
  const [group = '', version] = schema.properties.apiVersion.const.split('/')
  const kind = schema.properties.kind.const
  const plural = `${kind.toLowerCase()}s`
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const versions = [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }]
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { kind, plural, singular: kind.toLowerCase() }, versions }
  }
}

describe('a server of Kubernetes', { skip: missing || serverMissing }, () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer()
    for (const schema of Object.values(CUSTOM_RESOURCES)) {
      const definition = definitionOf(schema as unknown as CustomKind)
      const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
      assert.equal((await server.ask('POST', path, definition)).status, 201)
      const { group, names, versions } = definition.spec
      const isServed = async () => (await server.ask('GET', `/apis/${group}/${versions[0]?.name}/${names.plural}`)).status === 200
      await until(names.plural, isServed)
    }
  })
  after(() => server?.stop())

  const makeNamespace = async (name: string) => {
    // The strictest of the standards that Kubernetes has for pods.
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' }
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
    assert.equal((await server.ask('POST', '/api/v1/namespaces', body)).status, 201)
  }

  const namesOf = async (namespace: string): Promise<string[]> => {
    const found = Object.entries(PLACES).map(async ([kind, place]) => {
      const { body } = await server.ask('GET', `/${place.replace('NS', namespace)}`)
      return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => `${kind} ${metadata.name}`)
    })
    return (await Promise.all(found)).flat().toSorted()
  }

  /** Does what the job's controller would: helm waits for the end of a hook's job. */
  const endJob = async (namespace: string, done: () => boolean): Promise<void> => {
    const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`
    let path = ''
    const isThere = async () => {
      const { body } = await server.ask('GET', jobs)
      const { items } = body as { items: { metadata: { name: string }; status?: { succeeded?: number } }[] }
      const [open] = items.filter(({ status }) => status?.succeeded === undefined)
      path = `${jobs}/${open?.metadata.name}`
      return done() || open !== undefined
    }
    await until('the job of the first key', isThere, { deadlineMs: JOB_DEADLINE_MS, againMs: 100 })
    if (done()) return
    const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: time }))
    const status = { startTime: time, completionTime: time, succeeded: 1, conditions }
    const answer = await server.ask('PATCH', `${path}/status`, { status })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }

  const release = async (
    verb: 'install' | 'upgrade',
    namespace: string,
    variant: (typeof VARIANTS)[number],
    more: string[] = []
  ) => {
    let isDone = false
    const args = [verb, 'nextscale', CHART, '--namespace', namespace, '--timeout', '60s', ...server.helmArguments]
    const helm = runHelm([...args, ...exampleOf(variant.example), ...more], variant.values).finally(() => (isDone = true))
    await Promise.all([helm, endJob(namespace, () => isDone)])
  }

  const ofServer = (objects: readonly KubernetesObject[]) =>
    objects
      .filter(({ kind }) => !(kind in CUSTOM_RESOURCES))
      .map(nameOf)
      .toSorted()

  for (const [place, variant] of VARIANTS.entries())
    it(`takes an install, an upgrade and an uninstall: ${variant.name}`, async () => {
      const namespace = `release-${place}`
      await makeNamespace(namespace)
      await release('install', namespace, variant)
      const expected = ofServer(await renderVariant(variant))
      // The cluster's own certificate and the account that every namespace gets need controllers that are not there.
      assert.deepEqual(await namesOf(namespace), expected)
      await release('upgrade', namespace, variant, ['--set', 'image.tag=9.9.9', '--set', 'api.shutdownDelaySeconds=3'])
      assert.deepEqual(await namesOf(namespace), expected)
      await runHelm(['uninstall', 'nextscale', '--namespace', namespace, ...server.helmArguments])
      const kept = expected.filter((name) => name.startsWith('PersistentVolumeClaim') || name.endsWith(FIRST_KEY))
      const areGone = async () => (await namesOf(namespace)).length === kept.length
      await until('the end of what was installed', areGone).catch(() => undefined)
      assert.deepEqual(await namesOf(namespace), kept)
    })

  it('takes the pods under its strictest standard, but for those with a folder of the node', async () => {
    await makeNamespace('pods')
    let refused = 0
    for (const variant of VARIANTS)
      for (const { of, labels, spec } of podsOf(await renderVariant(variant))) {
        const body = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'pod-', labels }, spec }
        const answer = await server.ask('POST', '/api/v1/namespaces/pods/pods?dryRun=All', body)
        const hasFolder = spec.volumes.some(({ hostPath }) => hostPath !== undefined)
        assert.equal(answer.status, hasFolder ? 403 : 201, `${of}: ${JSON.stringify(answer.body)}`)
        if (!hasFolder) continue
        assert.match(JSON.stringify(answer.body), /violates PodSecurity .*hostPath/)
        refused++
      }
    assert.equal(refused, 2)
  })
})
