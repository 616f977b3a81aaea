import { type KubernetesObject, nameOf, podsOf } from './kubernetes-object.ts'

const amounts = (of: Record<string, string | number>): string =>
  Object.entries(of)
    .map(([name, amount]) => `${name} ${amount}`)
    .join(', ')

/** Of pods: what they run, with what, and where they may write. */
const podLines = (object: KubernetesObject): string[] =>
  podsOf([object]).flatMap(({ spec, container }) => [
    `${container.image}: ${container.args.join(' ')}`,
    `requests ${amounts(container.resources.requests)}; limits ${amounts(container.resources.limits)}`,
    `grace ${spec.terminationGracePeriodSeconds} s, account ${spec.serviceAccountName}`,
    `mounts ${container.volumeMounts.map(({ mountPath, readOnly }) => `${mountPath}${readOnly ? ' (read)' : ''}`).join(', ')}`,
    ...container.env.map(({ name, value }) => `${name}=${value ?? '(of the limits)'}`)
  ])

const specLines = (object: KubernetesObject): string[] => {
  const { replicas, minReplicaCount, maxReplicaCount, minReplicas, maxReplicas } = object.spec ?? {}
  const bounds = { replicas, minReplicaCount, maxReplicaCount, minReplicas, maxReplicas }
  return Object.entries(bounds).flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${value}`] : []))
}

/** What a change of the chart or of its values is seen by: a few lines for each object, in an order of their own. */
export const summarise = (objects: readonly KubernetesObject[]): string =>
  objects
    .map((object) => [nameOf(object), ...[...specLines(object), ...podLines(object)].map((line) => `  ${line}`)].join('\n'))
    .toSorted()
    .join('\n')
    .concat('\n')
