/*
 * The fields of the custom resources that the chart makes, as far as it may use them: a field that is not listed here is refused, also
 * where the published definition has it. From the definitions of KEDA 2.20.2 (keda.sh), prometheus-operator 0.85.0
 * (monitoring.coreos.com) and Traefik 3 (traefik.io).
 */

type Schema = Readonly<Record<string, unknown>>

const object = (required: readonly string[], properties: Record<string, Schema>): Schema => ({
  type: 'object',
  required,
  properties,
  additionalProperties: false
})
const list = (items: Schema): Schema => ({ type: 'array', items, minItems: 1 })
const texts = { type: 'object', additionalProperties: { type: 'string' } }
const text = { type: 'string', minLength: 1 }
const count = { type: 'integer', minimum: 0 }
const duration = { type: 'string', pattern: '^([0-9]+h)?([0-9]+m)?([0-9]+s)?$', minLength: 2 }

const whole = (apiVersion: string, kind: string, spec: Schema): Schema => {
  const metadata = object(['name', 'namespace', 'labels'], { name: text, namespace: text, labels: texts, annotations: texts })
  return object(['apiVersion', 'kind', 'metadata', 'spec'], {
    apiVersion: { const: apiVersion },
    kind: { const: kind },
    metadata,
    spec
  })
}

const policy = object(['type', 'value', 'periodSeconds'], {
  type: { enum: ['Pods', 'Percent'] },
  value: { type: 'integer', minimum: 1 },
  // As autoscaling/v2 has it.
  periodSeconds: { type: 'integer', minimum: 1, maximum: 1800 }
})
const scaling = object([], {
  stabilizationWindowSeconds: { type: 'integer', minimum: 0, maximum: 3600 },
  selectPolicy: { enum: ['Max', 'Min', 'Disabled'] },
  policies: list(policy)
})

/** What each scaler of KEDA reads of a trigger's metadata; all are text. */
const METADATA: Readonly<Record<string, { required: string[]; optional: string[] }>> = {
  prometheus: { required: ['serverAddress', 'query', 'threshold'], optional: ['activationThreshold', 'ignoreNullValues'] },
  'metrics-api': { required: ['url', 'valueLocation', 'targetValue'], optional: ['activationTargetValue', 'format'] },
  redis: {
    required: ['address', 'listName', 'listLength'],
    optional: ['activationListLength', 'databaseIndex', 'enableTLS', 'username']
  }
}

const triggers = Object.entries(METADATA).map(([type, { required, optional }]) =>
  object(['type', 'name', 'metadata'], {
    type: { const: type },
    // A formula names it.
    name: { type: 'string', pattern: '^[a-z_]+$' },
    metricType: { enum: ['AverageValue', 'Value'] },
    metadata: object(required, Object.fromEntries([...required, ...optional].map((name) => [name, text]))),
    authenticationRef: object(['name'], { name: text, kind: { enum: ['TriggerAuthentication', 'ClusterTriggerAuthentication'] } })
  })
)

const scaledObject = object(['scaleTargetRef', 'triggers'], {
  scaleTargetRef: object(['name'], { apiVersion: text, kind: text, name: text }),
  minReplicaCount: count,
  maxReplicaCount: count,
  pollingInterval: count,
  cooldownPeriod: count,
  initialCooldownPeriod: count,
  advanced: object([], {
    restoreToOriginalReplicaCount: { type: 'boolean' },
    horizontalPodAutoscalerConfig: object([], { behavior: object([], { scaleUp: scaling, scaleDown: scaling }) }),
    scalingModifiers: object(['formula', 'target'], {
      formula: text,
      target: { type: 'string', pattern: '^[0-9.]+$' },
      metricType: { enum: ['AverageValue', 'Value'] }
    })
  }),
  triggers: list({ oneOf: triggers })
})

const triggerAuthentication = object(['secretTargetRef'], {
  secretTargetRef: list(object(['parameter', 'name', 'key'], { parameter: { enum: ['password', 'ca'] }, name: text, key: text }))
})

const endpoint = object(['port'], {
  port: text,
  path: { type: 'string', pattern: '^/' },
  interval: duration,
  authorization: object(['credentials'], { type: text, credentials: object(['key'], { name: text, key: text }) })
})
const selector = object(['matchLabels'], { matchLabels: texts })

const forwarding = object([], {
  dialTimeout: duration,
  responseHeaderTimeout: duration,
  idleConnTimeout: duration,
  readIdleTimeout: duration,
  pingTimeout: duration
})

export const CUSTOM_RESOURCES: Readonly<Record<string, Schema>> = {
  ScaledObject: whole('keda.sh/v1alpha1', 'ScaledObject', scaledObject),
  TriggerAuthentication: whole('keda.sh/v1alpha1', 'TriggerAuthentication', triggerAuthentication),
  ServiceMonitor: whole(
    'monitoring.coreos.com/v1',
    'ServiceMonitor',
    object(['selector', 'endpoints'], { selector, endpoints: list(endpoint) })
  ),
  PodMonitor: whole(
    'monitoring.coreos.com/v1',
    'PodMonitor',
    object(['selector', 'podMetricsEndpoints'], { selector, podMetricsEndpoints: list(endpoint) })
  ),
  ServersTransport: whole('traefik.io/v1alpha1', 'ServersTransport', object([], { forwardingTimeouts: forwarding }))
}
