import { getStatus, type ModelCard, type RunnerCard, type ServiceStatus } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import type { QueueDepth } from '../../generations/queue-depth.ts'
import { lookAtQueue } from '../../generations/queue-look.ts'
import { addOperation } from '../../http/operation.ts'
import { ProblemError } from '../../http/problem.ts'
import type { Services } from '../../services.ts'
import { VERSION } from '../../version.ts'

const admits = (depth: QueueDepth): boolean => {
  try {
    depth.admit()
    return true
  } catch (error) {
    if (error instanceof ProblemError) return false
    throw error
  }
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

const toModelStatus = ({ id }: ModelCard, runners: readonly RunnerCard[]): ServiceStatus['models'][number] => {
  const serving = runners.flatMap(({ models }) => models.filter((model) => model.id === id))
  const imageMs = serving.flatMap(({ image_ms: ms }) => (ms === null || ms === 0 ? [] : [ms]))
  return {
    id,
    runners: serving.length,
    latency_ms: mean(serving.flatMap(({ latency_ms: ms }) => ms ?? [])),
    images_per_second: imageMs.length === 0 ? null : imageMs.reduce((sum, ms) => sum + 1000 / ms, 0)
  }
}

/** GET /status */
export const statusRoute = (app: FastifyInstance, { redis, queue, models, runners, depth }: Services): void => {
  addOperation(app, getStatus, async () => {
    const [look, cards, live] = await Promise.all([lookAtQueue(redis, queue), models.cards(), runners.cards()])
    return {
      version: VERSION,
      accepting: cards.length > 0 && admits(depth),
      queue: { waiting: look.waiting + look.delayed, running: look.running, oldest_wait_ms: look.nextWaitMs },
      runners: live.length,
      models: cards.map((card) => toModelStatus(card, live))
    }
  })
}
