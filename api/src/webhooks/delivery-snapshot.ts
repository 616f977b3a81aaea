import {
  DeliverWebhookPayload,
  DeliverWebhookResult,
  type DeliveryStatus,
  GenerateImageResult,
  type TerminalWebhookEvent,
  type WebhookAttempt
} from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { jsonParserOf } from '../contract/parser.ts'
import { onRedis } from '../redis/errors.ts'
import { namedReply } from '../redis/named-reply.ts'
import type { DeliveryReply } from '../redis/read-delivery.ts'
import { readAttempt } from './read-attempt.ts'

/** A webhook delivery as BullMQ holds it, parsed. Times in ms. */
export interface DeliverySnapshot {
  id: string
  payload: DeliverWebhookPayload
  status: DeliveryStatus
  /** Where its job is; one that is `due` waits for its turn or is under way. */
  place: 'waiting-children' | 'due' | 'delayed' | 'completed' | 'failed'
  /** Result of one that was delivered or skipped. */
  result: DeliverWebhookResult | null
  /** Attempts on record. */
  attempts: number
  nextAttemptAt: number | null
  createdAt: number
  completedAt: number | null
}

export interface DeliveryReader {
  /** Many in one round trip, in the order of the ids; undefined where there is none. */
  readMany(ids: readonly string[]): Promise<(DeliverySnapshot | undefined)[]>
  /** Their attempts, first to last. */
  readAttempts(ids: readonly string[]): Promise<WebhookAttempt[][]>
  /** How the generations ended that they were made with, which is known as long as they are; undefined where none did. */
  readEnds(ids: readonly string[]): Promise<(TerminalWebhookEvent | undefined)[]>
}

const parsePayload = jsonParserOf(DeliverWebhookPayload)
const parseResult = jsonParserOf(DeliverWebhookResult)
const parseOutcome = jsonParserOf(GenerateImageResult)

const numberOrNull = (text: string | null) => (text === null ? null : Number(text))

const statusOf = (place: DeliverySnapshot['place'], result: DeliverWebhookResult | null): DeliveryStatus => {
  if (place === 'waiting-children') return 'waiting'
  if (place === 'failed') return 'failed'
  if (place === 'completed') return result?.outcome ?? 'delivered'
  return 'pending'
}

/** Reads the script's reply. */
const toSnapshot = (id: string, reply: DeliveryReply): DeliverySnapshot | undefined => {
  const { data, timestamp, finishedOn, returnValue, attempts, place, dueAt } = reply
  const payload = data === null ? undefined : parsePayload(data)
  if (payload === undefined) return undefined
  const result = place === 'completed' && returnValue !== null ? (parseResult(returnValue) ?? null) : null
  return {
    id,
    payload,
    status: statusOf(place, result),
    place,
    result,
    attempts,
    nextAttemptAt: numberOrNull(dueAt),
    createdAt: Number(timestamp),
    completedAt: numberOrNull(finishedOn)
  }
}

/** Reply of LRANGE or HVALS. */
const asLines = (result: unknown): string[] => result as string[]

/** What BullMQ keeps of the one job that a delivery waited for: its result, or why it failed. */
const toEnd = (results: readonly string[], failures: readonly string[]): TerminalWebhookEvent | undefined => {
  if (failures.length > 0) return 'generation.failed'
  const outcome = parseOutcome(results[0] ?? '')?.outcome
  return outcome && `generation.${outcome}`
}

const run = async (pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> => {
  const results = (await pipeline.exec()) ?? []
  return results.map(([error, result]): unknown => {
    if (error) throw error
    return result
  })
}

/** Reads deliveries whoever owns them: callers look at `payload.owner`. */
export const createDeliveryReader = (redis: Redis, queue: Queue<DeliverWebhookPayload>): DeliveryReader => {
  const [children, delayed] = [queue.toKey('waiting-children'), queue.toKey('delayed')]
  const [completed, failed] = [queue.toKey('completed'), queue.toKey('failed')]
  const logsOf = (id: string) => `${queue.toKey(id)}:logs`

  const readMany = async (ids: readonly string[]) => {
    if (ids.length === 0) return []
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.readDelivery(queue.toKey(id), logsOf(id), children, delayed, completed, failed, id)
    const replies = await onRedis(() => run(pipeline))
    return ids.map((id, position) => toSnapshot(id, namedReply<DeliveryReply>(replies[position])))
  }

  const readAttempts = async (ids: readonly string[]) => {
    if (ids.length === 0) return []
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.lrange(logsOf(id), 0, -1)
    const lists = await onRedis(() => run(pipeline))
    return lists.map((lines) => asLines(lines).flatMap((line) => readAttempt(line) ?? []))
  }

  const readEnds = async (ids: readonly string[]) => {
    if (ids.length === 0) return []
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.hvals(`${queue.toKey(id)}:processed`).hvals(`${queue.toKey(id)}:failed`)
    const lists = await onRedis(() => run(pipeline))
    return ids.map((_, position) => toEnd(asLines(lists[2 * position]), asLines(lists[2 * position + 1])))
  }

  return { readMany, readAttempts, readEnds }
}
