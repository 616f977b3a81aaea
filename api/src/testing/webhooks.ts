import { type GenerateImagePayload, type QueuedWebhook, TERMINAL_WEBHOOK_EVENTS, terminalDeliveryId } from '@nextscale/openapi'
import { readConfig } from '../config.ts'
import { newGenerationId } from '../generations/id.ts'
import { resolveInput } from '../generations/create/resolve-input.ts'
import { OWNER } from '../owner.ts'
import { closeServices, openServices, type Services } from '../services.ts'
import { modelCard } from './model-card.ts'
import type { TestApp } from './test-app.ts'

export const WEBHOOK: QueuedWebhook = {
  url: 'https://example.com/hook',
  events: [...TERMINAL_WEBHOOK_EVENTS],
  base: 'https://api.example.com'
}

type Limits = Partial<GenerateImagePayload['input']>

/** What is queued of a request with a webhook. */
export const announcedPayload = (limits: Limits = {}): GenerateImagePayload => ({
  version: 1,
  owner: OWNER,
  input: { ...resolveInput({}, [modelCard()]), ...limits },
  metadata: {},
  label: null,
  webhook: WEBHOOK
})

export interface Announced {
  readonly services: Services
  /** Queues a generation with a webhook. */
  add(limits?: Limits): Promise<string>
  /** BullMQ's state of the delivery of a generation's end. */
  stateOf(id: string): Promise<string>
  close(): Promise<void>
}

/** Services of a process of its own, on the Redis of a test's server. */
export const openAnnounced = async ({ server, app, directory }: TestApp): Promise<Announced> => {
  const config = readConfig({ REDIS_URL: server.url, OBJECT_DIR: directory, LOG_LEVEL: 'silent' })
  const services = await openServices(config, app.log)
  await new Promise((resolve) => services.redis.once('ready', resolve))
  return {
    services,
    add: async (limits) => {
      const id = newGenerationId()
      await services.enqueue.add({ id, pool: 'default', payload: announcedPayload(limits), createdAt: Date.now() })
      return id
    },
    stateOf: (id) => services.deliveryQueue.getJobState(terminalDeliveryId(id)),
    close: () => closeServices(services)
  }
}
