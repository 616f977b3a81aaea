import { EXAMPLES, render, type Values } from './render-chart.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

interface Variant {
  name: string
  example?: string
  values: Values
}

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis-Ab12'

/** The examples, and what they leave out: rules are held over all of these. */
export const VARIANTS: readonly Variant[] = [
  ...EXAMPLES.map((example) => ({ name: `example ${example}`, example, values: {} })),
  {
    name: 'scaled by lists in Redis',
    example: 'gpu',
    values: {
      redis: { ca: { existingSecret: 'redis-ca' }, prefix: 'studio' },
      scaling: { by: 'redis', redis: { address: 'redis.storage.svc:6379', tls: true, existingSecret: 'keda-redis' } },
      pools: [
        { name: 'default', minReplicas: 0 },
        { name: 'large', gpu: 1, minReplicas: 0 }
      ]
    }
  },
  {
    name: 'Traefik, every secret, every setting that is not a default',
    example: 'disk',
    values: {
      fullnameOverride: 'studio',
      image: { digest: `sha256:${'0f'.repeat(32)}`, pullPolicy: 'Always' },
      imagePullSecrets: ['registry'],
      redis: { ca: { existingSecret: 'redis-ca' } },
      store: { disk: { existingClaim: 'pictures', linkSecret: { existingSecret: 'links' } } },
      webhooks: { signingKeys: { existingSecret: 'signing' } },
      ingress: { enabled: true, controller: 'traefik', host: 'pictures.example.com', tlsSecret: 'tls' },
      settings: {
        EGRESS: 'any',
        EGRESS_PORTS: '443',
        EGRESS_DNS_SERVERS: '10.0.0.2',
        LINK_TTL_SECONDS: '600',
        LOCK_DURATION_MS: '20000',
        LOG_LEVEL: 'debug',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.tracing.svc:4318',
        OTEL_TRACES_SAMPLER_ARG: '0.1',
        STALLED_INTERVAL_MS: '5000'
      },
      api: { settings: { CORS_ORIGINS: '*', QUEUE_LIMIT: '500', TRUST_PROXY: '1' }, shutdownDelaySeconds: 25 },
      control: { settings: { WEBHOOK_TIMEOUT_MS: '59500' } },
      pools: [
        { name: 'small', modelsClaim: 'models', models: ['/models/emoji-32'], settings: { THREADS: '1', PRECISION: 'int8' } },
        { name: 'other', models: ['s3://models/emoji-32/1'], graceSeconds: 600, cache: { hostPath: '/var/lib/nextscale' } }
      ],
      networkPolicy: { podIdentity: true }
    }
  },
  {
    name: 'a secret of AWS, and models of a bucket beside pictures on a disk',
    example: 'disk',
    values: {
      redis: { existingSecret: '', secretArn: ARN },
      aws: { region: 'eu-central-1' },
      firstKey: { secretArn: ARN },
      store: { s3: { region: 'eu-central-1' } },
      pools: [{ name: 'default', models: ['s3://models/emoji-32/1'], settings: { MODELS_MEMORY: '8GB' } }]
    }
  },
  {
    name: 'IAM',
    example: 's3',
    values: {
      redis: {
        existingSecret: '',
        url: 'rediss://cache.example.com:6380',
        ports: [6380],
        iam: 'nextscale@pictures',
        prefix: 'eu'
      },
      aws: { region: 'eu-central-1' },
      firstKey: { enabled: false },
      store: { s3: { prefix: 'studio', pathStyle: 'true' } },
      api: { settings: { UNAUTHENTICATED: 'allow' } }
    }
  },
  {
    name: 'sentinels',
    example: 'disk',
    values: {
      redis: { existingSecret: '', url: 'redis+sentinel://a.redis,b.redis,c.redis/main', ports: [6379, 26_379] },
      api: { settings: { REDIS_WAIT_REPLICAS: '1' } }
    }
  }
]

export const renderVariant = ({ example, values }: Variant): Promise<KubernetesObject[]> => render(example, values)
