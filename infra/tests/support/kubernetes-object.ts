/** What tests read of objects of Kubernetes. */

export interface Container {
  name: string
  image: string
  args: string[]
  env: { name: string; value?: string; valueFrom?: { resourceFieldRef?: { resource: string } } }[]
  ports?: { name: string; containerPort: number }[]
  resources: Record<'requests' | 'limits', Record<string, string | number>>
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[]
  securityContext: Record<string, unknown>
  [probe: `${string}Probe`]: { httpGet: { path: string; port: string } } | undefined
}

export interface Volume {
  name: string
  secret?: { secretName: string; defaultMode: number; items: { key: string; path: string }[] }
  emptyDir?: { sizeLimit: string }
  hostPath?: { path: string; type: string }
  persistentVolumeClaim?: { claimName: string }
}

export interface PodSpec {
  serviceAccountName: string
  automountServiceAccountToken: boolean
  enableServiceLinks: boolean
  terminationGracePeriodSeconds: number
  securityContext: Record<string, unknown>
  containers: Container[]
  volumes: Volume[]
  [field: string]: unknown
}

export interface Peer {
  podSelector?: unknown
  namespaceSelector?: unknown
  ipBlock?: { cidr: string; except?: string[] }
}

export interface Rule {
  ports?: { protocol: string; port: number }[]
  to?: Peer[]
  from?: Peer[]
}

export interface Trigger {
  type: string
  name: string
  metadata: Record<string, string>
  authenticationRef?: { name: string }
}

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string; labels: Record<string, string>; annotations?: Record<string, string> }
  spec: {
    replicas?: number
    selector?: { matchLabels: Record<string, string> }
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec }
    podSelector?: { matchLabels: Record<string, string> }
    ingress?: Rule[]
    egress?: Rule[]
    triggers?: Trigger[]
    [field: string]: unknown
  }
}

/** A pod that an object makes. */
export interface Pod {
  /** Kind and name of the object. */
  of: string
  labels: Record<string, string>
  component: string
  spec: PodSpec
  container: Container
}

export const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`

export const podsOf = (objects: readonly KubernetesObject[]): Pod[] =>
  objects.flatMap((object) => {
    const { template } = object.spec ?? {}
    if (template === undefined) return []
    const { spec, metadata } = template
    const [container, ...others] = spec.containers
    if (container === undefined || others.length > 0) throw new Error(`${nameOf(object)} has other than one container`)
    const component = metadata.labels['app.kubernetes.io/component'] ?? ''
    return [{ of: nameOf(object), labels: metadata.labels, component, spec, container }]
  })

export const ofKind = (objects: readonly KubernetesObject[], kind: string): KubernetesObject[] =>
  objects.filter((object) => object.kind === kind)
