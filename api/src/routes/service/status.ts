import { getStatus, type ModelCard, type RunnerCard, type ServiceStatus } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { readUnserved } from '../../models/read-unserved.ts'
import { lookAtPools, type QueueLook, sumOf } from '../../pools/look.ts'
import { poolOf } from '../../pools/serving.ts'
import type { Services } from '../../services.ts'
import { VERSION } from '@nextscale/platform/observe'

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

const toModelStatus = ({ id }: ModelCard, runners: readonly RunnerCard[]): ServiceStatus['models'][number] => {
  // A runner that serves several revisions of a model counts once.
  const serving = runners.flatMap(({ models }) => models.find((model) => model.id === id) ?? [])
  const imageMs = serving.flatMap(({ image_ms: ms }) => (ms === null || ms === 0 ? [] : [ms]))
  return {
    id,
    runners: serving.length,
    latency_ms: mean(serving.flatMap(({ latency_ms: ms }) => ms ?? [])),
    images_per_second: imageMs.length === 0 ? null : imageMs.reduce((sum, ms) => sum + 1000 / ms, 0)
  }
}

type PoolStatus = ServiceStatus['pools'][number]

const toQueueStatus = ({ waiting, delayed, running, nextWaitMs }: QueueLook): ServiceStatus['queue'] => ({
  waiting: waiting + delayed,
  running,
  oldest_wait_ms: nextWaitMs
})

const toPoolStatus = (name: string, look: QueueLook, runners: readonly RunnerCard[]): PoolStatus => {
  const own = runners.filter((card) => poolOf(card) === name)
  const models = new Set(own.flatMap((card) => card.models.map(({ id }) => id)))
  return { name, ...toQueueStatus(look), runners: own.length, models: [...models].toSorted() }
}

/** GET /status */
export const statusRoute = (app: FastifyInstance, services: Services): void => {
  const { redis, queues, models, runners, depth } = services
  addOperation(app, getStatus, async () => {
    const [looks, cards, live, unserved, isAccepting] = await Promise.all([
      lookAtPools(redis, queues),
      models.cards(),
      runners.cards(),
      readUnserved(services),
      depth.accepts()
    ])
    return {
      version: VERSION,
      accepting: cards.length > 0 && isAccepting,
      queue: toQueueStatus(sumOf(looks.values())),
      pools: [...looks].map(([name, look]) => toPoolStatus(name, look, live)),
      runners: live.length,
      models: cards.map((card) => toModelStatus(card, live)),
      unserved
    }
  })
}
