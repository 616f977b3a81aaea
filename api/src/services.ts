import type { DeliverWebhookPayload, RedisKeys } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { redisKeys } from '@nextscale/openapi'
import type { Config } from './config.ts'
import type { Egress } from './egress/egress.ts'
import { openEgress } from './egress/open.ts'
import { createEnqueue, type Enqueue } from './generations/enqueue.ts'
import { openGenerations } from './generations/open.ts'
import type { RemoveMarked } from './generations/remove-marked.ts'
import { createQueueDepth, oneQueue, type QueueDepth } from './pools/depth.ts'
import { lookAtPools } from './pools/look.ts'
import { createPlacement, type Placement } from './pools/placement.ts'
import { openDeliveryQueue, type PoolQueues } from './pools/queues.ts'
import type { GenerationReader } from './generations/reader.ts'
import { withDeliveries } from './generations/with-deliveries.ts'
import { createKeyFinder, type KeyFinder } from './keys/find.ts'
import { createInFlight, type InFlight } from './limits/in-flight.ts'
import { createRateLimit, type RateLimit } from './limits/rate.ts'
import { createStreams, type Streams } from './limits/streams.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createStreamTokens, type StreamTokens } from './generations/stream-tokens.ts'
import { createModelRegistry, type ModelRegistry } from './models/registry.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { openObjectStore } from '@nextscale/platform/object-store'
import { connectListener } from '@nextscale/platform'
import { connectProducer } from './redis/connect.ts'
import { createRunnerRegistry, type RunnerRegistry } from './runners/read-runners.ts'
import { createJobEvents, type JobEvents } from './redis/job-events.ts'
import { createReplication, type Replication } from './redis/replication.ts'
import { watchAccess } from './redis/watch-access.ts'
import { createDeliveryReader, type DeliveryReader } from './webhooks/delivery-snapshot.ts'
import { createWebhookSecrets, type WebhookSecrets } from './webhooks/secrets.ts'
import { openSigningKeys, type SigningKey } from './webhooks/signing-keys.ts'

/** Everything routes work with, opened once per server. */
export interface Services {
  readonly config: Config
  readonly redis: Redis
  readonly keys: RedisKeys
  /** What the user of Redis may not do although it is needed, in a sentence. */
  readonly lack: () => string | undefined
  readonly queues: PoolQueues
  readonly removeMarked: RemoveMarked
  /** Which pool's queue generations are put into. */
  readonly placement: Placement
  readonly deliveryQueue: Queue<DeliverWebhookPayload>
  readonly events: JobEvents
  readonly store: ObjectStore
  /** The way out to addresses that callers name. */
  readonly egress: Egress
  readonly models: ModelRegistry
  readonly runners: RunnerRegistry
  readonly reader: GenerationReader
  readonly deliveries: DeliveryReader
  readonly webhookSecrets: WebhookSecrets
  /** Keys that sign webhooks besides the secret of their owner. */
  readonly signingKeys: readonly SigningKey[]
  readonly enqueue: Enqueue
  readonly depth: QueueDepth
  readonly deliveryDepth: QueueDepth
  readonly apiKeys: KeyFinder
  readonly rate: RateLimit
  readonly inFlight: InFlight
  readonly streams: Streams
  readonly metrics: Metrics
  /** Fires when the server has been told to stop: it is not ready from then on. */
  readonly stopping: AbortController
  readonly streamTokens: StreamTokens
  /** Undefined where nothing waits for replicas. */
  readonly replication: Confirming | undefined
  /** Fires when the server begins to close; long polls end then. */
  readonly closing: AbortController
}

/** Confirmations by replicas, and the connection that waits for them. */
type Confirming = Replication & { close(): void }

const openReplication = (redis: Redis, keys: RedisKeys, config: Config, log: FastifyBaseLogger): Confirming | undefined => {
  const { redisWaitReplicas: replicas } = config
  if (replicas === 0) return undefined
  const waiting = connectProducer(config, log)
  return { ...createReplication({ redis, waiting, keys, replicas }), close: () => waiting.disconnect() }
}

const eventStreams = async (queues: PoolQueues): Promise<string[]> =>
  (await queues.names()).map((pool) => queues.of(pool).toKey('events'))

/** Opens the services. Redis need not be there: what needs it answers 503 until it is. */
export const openServices = async (config: Config, log: FastifyBaseLogger): Promise<Services> => {
  const store = await openObjectStore(config.objectStore, 'links')
  const keys = redisKeys(config.redisPrefix)
  const redis = connectProducer(config, log)
  const { queues, removeMarked, reader: withoutDeliveries } = openGenerations(redis, keys)
  const deliveryQueue = openDeliveryQueue(redis, keys)
  const deliveries = createDeliveryReader(redis, deliveryQueue)
  const runners = createRunnerRegistry({ redis, keys })
  const reader = withDeliveries(withoutDeliveries, deliveries)
  const depth = createQueueDepth(redis, queues, config.queueLimit)
  return {
    config,
    redis,
    keys,
    lack: watchAccess({ redis, keys, prefix: config.redisPrefix, log }),
    queues,
    removeMarked,
    placement: createPlacement({ redis, keys, runners, depth }),
    deliveryQueue,
    events: createJobEvents(connectListener(config), () => eventStreams(queues)),
    store,
    egress: openEgress(config.egress),
    models: createModelRegistry({ redis, keys, runners, defaultModel: config.defaultModel, log }),
    reader,
    deliveries,
    webhookSecrets: createWebhookSecrets(redis, keys),
    signingKeys: openSigningKeys(config.webhooks.signingKeys),
    runners,
    enqueue: createEnqueue({ redis, queues, deliveryQueue, keys }),
    depth,
    deliveryDepth: createQueueDepth(redis, oneQueue(deliveryQueue), config.queueLimit, Date.now, 'webhook deliveries'),
    apiKeys: createKeyFinder({ redis, keys, store }),
    rate: createRateLimit(redis, keys),
    inFlight: createInFlight({ redis, keys, reader }),
    streams: createStreams({ redis, keys, limit: config.maxStreams }),
    metrics: createMetrics(() => lookAtPools(redis, queues)),
    stopping: new AbortController(),
    streamTokens: createStreamTokens(redis, keys),
    replication: openReplication(redis, keys, config, log),
    closing: new AbortController()
  }
}

/** Closes them in reverse order. No request is running any more, so nothing is cut off. */
export const closeServices = async (services: Services): Promise<void> => {
  const { events, queues, deliveryQueue, redis, replication, store, egress, streams, metrics } = services
  streams.close()
  events.close()
  await deliveryQueue.close()
  await queues.close()
  replication?.close()
  redis.disconnect()
  await egress.close()
  store.close()
  metrics.close()
}
