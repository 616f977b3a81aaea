import { getStatus, type ModelCard, type RunnerCard, type ServiceStatus } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { lookAtQueue } from '../../generations/queue-look.ts'
import { addOperation } from '../../http/operation.ts'
import { readUnserved } from '../../models/read-unserved.ts'
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

/** GET /status */
export const statusRoute = (app: FastifyInstance, services: Services): void => {
  const { redis, queue, models, runners, depth } = services
  addOperation(app, getStatus, async () => {
    const [look, cards, live, unserved, isAccepting] = await Promise.all([
      lookAtQueue(redis, queue),
      models.cards(),
      runners.cards(),
      readUnserved(services),
      depth.accepts()
    ])
    return {
      version: VERSION,
      accepting: cards.length > 0 && isAccepting,
      queue: { waiting: look.waiting + look.delayed, running: look.running, oldest_wait_ms: look.nextWaitMs },
      runners: live.length,
      models: cards.map((card) => toModelStatus(card, live)),
      unserved
    }
  })
}
