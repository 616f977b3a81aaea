import { redisKeys } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import { openEgress } from '../egress/open.ts'
import { openDeliveryQueue, openQueue } from '../generations/queue.ts'
import { createReader } from '../generations/reader.ts'
import { withDeliveries } from '../generations/with-deliveries.ts'
import { openObjectStore } from '../object-store/open.ts'
import { connectProducer } from '../redis/connection.ts'
import { createRunnerRegistry } from '../runners/read-runners.ts'
import { createDeliveryReader } from '../webhooks/delivery-snapshot.ts'
import { createWebhookSecrets } from '../webhooks/secrets.ts'
import { startDeliveries } from '../webhooks/start-deliveries.ts'
import { measureBacklog } from './backlog.ts'
import type { ControlConfig } from './config.ts'
import { createControlMetrics } from './control-metrics.ts'
import { emfLine } from './emf.ts'
import { promoteDue } from './promote-due.ts'
import { repeat } from './repeat.ts'
import { serveMetrics } from './serve-metrics.ts'
import { createSweeps } from './sweeps.ts'
import { watchStalls } from './watch-stalls.ts'

export interface Control {
  /** Ends everything in reverse order. Webhook requests that are under way end first. */
  stop(): Promise<void>
}

/** What the parts of a control process work with. */
const open = async (config: ControlConfig, log: FastifyBaseLogger) => {
  const store = await openObjectStore(config.objectStore)
  const keys = redisKeys(config.redisPrefix)
  const redis = connectProducer(config.redisUrl, log)
  // It is tried for ever; nothing here is of use before.
  await new Promise((resolve) => redis.once('ready', resolve))
  const queue = openQueue(redis, keys)
  const deliveryQueue = openDeliveryQueue(redis, keys)
  const egress = openEgress(config.egress)
  return {
    redis,
    keys,
    queue,
    deliveryQueue,
    store,
    egress,
    redisUrl: config.redisUrl,
    publicUrl: config.publicUrl,
    reader: withDeliveries(createReader(redis, queue, keys), createDeliveryReader(redis, deliveryQueue)),
    runners: createRunnerRegistry({ redis, keys }),
    secrets: createWebhookSecrets(redis, keys),
    close: async () => {
      await deliveryQueue.close()
      await queue.close()
      redis.disconnect()
      await egress.close()
      store.close()
    }
  }
}

/** Starts everything a service needs besides requests and runners. Any number of processes may do so at once. */
export const startControl = async (config: ControlConfig, log: FastifyBaseLogger): Promise<Control> => {
  const parts = await open(config, log)
  const metrics = createControlMetrics()
  const closing: (() => void | Promise<void>)[] = [() => parts.close()]
  const stopping = new AbortController()
  const { signal } = stopping
  const stop = async () => {
    stopping.abort()
    for (const close of closing.splice(0).toReversed()) await close()
  }
  const regularly = (everyMs: number, name: string, work: () => Promise<void>) => {
    const onError = (error: unknown) => log.warn({ err: error }, `${name} failed; it is tried again`)
    const running = repeat({ everyMs, work, signal, onError })
    closing.push(() => running)
  }
  try {
    if (config.metrics) closing.push(await serveMetrics(metrics.registry, config.metrics))
    const stalls = await watchStalls({ ...parts, stalledIntervalMs: config.stalledIntervalMs, log })
    closing.push(() => stalls.stop())
    regularly(config.backlogIntervalMs, 'Measuring the backlog', async () => {
      await promoteDue(parts)
      const backlog = await measureBacklog(parts)
      metrics.set(backlog)
      if (config.emfNamespace !== undefined) process.stdout.write(`${emfLine(config.emfNamespace, backlog, Date.now())}\n`)
    })
    regularly(config.sweepIntervalMs, 'A sweep', createSweeps({ ...parts, againMs: config.sweepIntervalMs, signal, log }))
    const deliveries = await startDeliveries({ ...parts, registry: metrics.registry, config: config.webhooks, log })
    closing.push(() => deliveries.stop())
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}
