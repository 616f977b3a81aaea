import assert from 'node:assert/strict'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { describe, it } from 'node:test'
import { severalOf } from '@nextscale/platform/config'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readControlConfig } from '../../api/src/control/config.ts'
import { isPublicAddress } from '../../api/src/egress/public-address.ts'
import { renderVariant, VARIANTS } from './support/chart-variants.ts'
import { environmentOf } from './support/environment-of.ts'
import { missing } from './support/find-helm.ts'
import { type KubernetesObject, nameOf, ofKind, type Peer, type Pod, podsOf, type Rule } from './support/kubernetes-object.ts'
import { render } from './support/render-chart.ts'

const POD_IDENTITY = '169.254.170.23/32'
const ROLE = 'eks.amazonaws.com/role-arn'

const portOf = (url: string): number => {
  const { port, protocol } = new URL(url)
  return port === '' ? ({ 'http:': 80, 'https:': 443, 'redis:': 6379, 'rediss:': 6379 }[protocol] ?? 0) : Number(port)
}

/** What a pod has to reach, as `protocol port`, by what its process was told; `any` is everything. */
const needsOf = (
  pod: Pod,
  env: Record<string, string>,
  account: KubernetesObject | undefined,
  hasIdentity: boolean
): string[] => {
  const { component, container } = pod
  const usesS3 = env['S3_BUCKET'] !== undefined || (env['MODELS'] ?? '').includes('s3://')
  const usesAws =
    env['REDIS_SECRET_ARN'] !== undefined ||
    account?.metadata.annotations?.[ROLE] !== undefined ||
    container.args.includes('--secret')
  const redisUrl = env['REDIS_URL'] ?? 'redis://redis:6379'
  const several = severalOf(redisUrl)
  const tcp = several?.hosts.map(({ port }) => port) ?? [portOf(redisUrl)]
  // Sentinels say where Redis is.
  if (several?.kind === 'sentinel') tcp.push(6379)
  if (usesS3) tcp.push(portOf(env['S3_ENDPOINT'] ?? 'https://s3'))
  const collector = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (collector !== undefined) tcp.push(portOf(collector))
  if (usesAws) tcp.push(443)
  if (hasIdentity) tcp.push(80)
  const receivers = component === 'control' ? readControlConfig(env).egress : undefined
  const any = receivers?.targets === 'any' ? ['any'] : []
  if (receivers?.targets === 'public') tcp.push(...receivers.ports)
  return ['UDP 53', 'TCP 53', ...tcp.map((port) => `TCP ${port}`), ...any]
}

const opensOf = (rules: readonly Rule[] = []): string[] =>
  rules.flatMap(({ ports }) => ports?.map(({ protocol, port }) => `${protocol} ${port}`) ?? ['any'])

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].toSorted()

const policyOf = (objects: readonly KubernetesObject[], { labels, of }: Pod): KubernetesObject => {
  const found = ofKind(objects, 'NetworkPolicy').filter(({ spec }) =>
    Object.entries(spec.podSelector?.matchLabels ?? { none: 'x' }).every(([name, value]) => labels[name] === value)
  )
  assert.equal(found.length, 1, `${of}: ${found.map(nameOf).join()}`)
  const [policy] = found
  assert.ok(policy)
  assert.deepEqual(policy.spec['policyTypes'], ['Ingress', 'Egress'])
  return policy
}

describe('network policies', { skip: missing }, () => {
  for (const variant of VARIANTS)
    it(`open the ports that the processes were told of, and no other: ${variant.name}`, async (t) => {
      const objects = await renderVariant(variant)
      const pods = podsOf(objects)
      const policies = new Map<string, { opens: string[]; needs: string[] }>()
      for (const pod of pods) {
        const policy = policyOf(objects, pod)
        const env = await environmentOf(pod, await temporaryFolder(t))
        const account = ofKind(objects, 'ServiceAccount').find(({ metadata }) => metadata.name === pod.spec.serviceAccountName)
        const hasIdentity = (variant.values['networkPolicy'] as { podIdentity?: boolean } | undefined)?.podIdentity === true
        const { needs } = policies.get(nameOf(policy)) ?? { needs: [] }
        policies.set(nameOf(policy), {
          opens: opensOf(policy.spec.egress),
          needs: [...needs, ...needsOf(pod, env, account, hasIdentity)]
        })
      }
      assert.equal(policies.size, ofKind(objects, 'NetworkPolicy').length, 'a policy that is for no pod')
      for (const [name, { opens, needs }] of policies) assert.deepEqual(unique(opens), unique(needs), name)
    })

  it('let receivers of webhooks be anywhere in the internet, and nowhere else', async () => {
    const objects = await render('disk')
    const [control] = podsOf(objects).filter(({ component }) => component === 'control')
    assert.ok(control)
    const rules = policyOf(objects, control).spec.egress ?? []
    const peers = rules.find(({ ports }) => ports?.some(({ port }) => port === 8443))?.to ?? []
    const allows = toCheck(peers)
    const addresses = [
      '1.1.1.1',
      '8.8.8.8',
      '203.0.114.1',
      '223.255.255.1',
      '2606:4700::1111',
      '2a00:1450::1',
      ...someAddresses(3000)
    ]
    const isPublic = addresses.filter(isPublicAddress)
    assert.ok(isPublic.length > 2000)
    for (const address of isPublic) assert.ok(allows(address), `${address} is public`)
    for (const address of PRIVATE) {
      assert.ok(!isPublicAddress(address))
      assert.ok(!allows(address), `${address} is reached`)
    }
  })

  it('let in callers at the port of the API, and nobody else where none is named', async () => {
    const ingress = async (values: Record<string, unknown>) => {
      const policies = ofKind(await render('disk', values), 'NetworkPolicy').map(({ metadata, spec }) => [
        metadata.name,
        spec.ingress
      ])
      return Object.fromEntries(policies) as Record<string, Rule[]>
    }
    const at = (port: number) => [{ protocol: 'TCP', port }]
    const named = (name: string): Peer => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })
    assert.deepEqual(await ingress({}), {
      'nextscale-api': [{ ports: at(8080) }],
      'nextscale-control': [],
      'nextscale-runner': [],
      'nextscale-first-key': []
    })
    const watched = {
      monitoring: { enabled: true, apiKey: { existingSecret: 'metrics' } },
      scaling: { by: 'metrics-api' },
      networkPolicy: { apiFrom: [named('edge')] }
    }
    assert.deepEqual(await ingress(watched), {
      'nextscale-api': [{ ports: at(8080), from: [named('edge'), named('monitoring')] }],
      'nextscale-control': [{ ports: at(9400), from: [named('monitoring'), named('keda')] }],
      'nextscale-runner': [{ ports: at(9400), from: [named('monitoring')] }],
      'nextscale-first-key': []
    })
  })

  it('go only to the peers that are named', async () => {
    const [redis, store] = [{ ipBlock: { cidr: '10.0.1.0/24' } }, { ipBlock: { cidr: '10.0.2.0/24' } }]
    const objects = await render('gpu', { networkPolicy: { redisTo: [redis], storeTo: [store], podIdentity: true } })
    for (const pod of podsOf(objects)) {
      const rules = policyOf(objects, pod).spec.egress ?? []
      const to = (wanted: number) => rules.find(({ ports }) => ports?.some(({ port }) => port === wanted))?.to
      assert.deepEqual(to(6379), [redis])
      assert.deepEqual(to(9000), pod.component === 'first-key' ? undefined : [store])
      assert.deepEqual(to(80), [{ ipBlock: { cidr: POD_IDENTITY } }])
    }
  })

  it('are left out when they are not wanted', async () => {
    assert.deepEqual(ofKind(await render('disk', { networkPolicy: { enabled: false } }), 'NetworkPolicy'), [])
  })
})

const PRIVATE = [
  '0.0.0.1',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  'fd00:ec2::254',
  'fe80::1',
  'ff02::1'
]

const addTo = (list: BlockList, cidr: string): void => {
  const [network = '', length] = cidr.split('/')
  list.addSubnet(network, Number(length), isIPv6(network) ? 'ipv6' : 'ipv4')
}

/** Whether peers, which are blocks of addresses, have an address among them. */
const toCheck = (peers: readonly Peer[]): ((address: string) => boolean) => {
  const blocks = peers.map(({ ipBlock }) => {
    assert.ok(ipBlock)
    const [inside, outside] = [new BlockList(), new BlockList()]
    addTo(inside, ipBlock.cidr)
    for (const cidr of ipBlock.except ?? []) addTo(outside, cidr)
    return { inside, outside }
  })
  return (address) => {
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    return blocks.some(({ inside, outside }) => inside.check(address, family) && !outside.check(address, family))
  }
}

/** The same each time, from all over the space of IPv4. */
const someAddresses = (count: number): string[] =>
  Array.from({ length: count }, (_, place) => {
    const number = Math.imul(place + 1, 2_654_435_761) >>> 0
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  })
