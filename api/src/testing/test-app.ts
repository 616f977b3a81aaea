import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import {
  DEFAULT_POOL,
  type GenerateImagePayload,
  type Generation,
  type ModelCard,
  queueOfPool,
  type RedisKeys,
  redisKeys,
  type RunnerCard
} from '@nextscale/openapi'
import { type Job, type Queue, Worker } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { buildApp } from '../build-app.ts'
import { type Config, readConfig } from '../config.ts'
import { createKey, type CreatedKey, type NewKey } from '../keys/create.ts'
import { openPoolQueues, type PoolQueues } from '../pools/queues.ts'
import { SCRIPTS } from '../redis/connect.ts'
import { type earlierCard, modelCard } from './model-card.ts'
import { type RedisServer, startRedis, until } from '@nextscale/platform/testing'

/** A card as a runner of some release announces it. */
type Announcement = ModelCard | ReturnType<typeof earlierCard>

export type RunnerJob = Job<GenerateImagePayload>

export interface TestApp {
  readonly app: FastifyInstance
  readonly server: RedisServer
  readonly redis: Redis
  readonly keys: RedisKeys
  /** The queues of all pools, and that of the default one. */
  readonly queues: PoolQueues
  readonly queue: Queue<GenerateImagePayload>
  /** Where objects are kept. */
  readonly directory: string
  readonly logLines: string[]
  announce(card: Announcement): Promise<void>
  /** Makes an API key; servers that know of none yet may take a second to ask for it. */
  createKey(wanted?: Partial<NewKey>): Promise<CreatedKey>
  /** Starts a worker in place of a runner of a pool, the default one where none is named. */
  runner(process: (job: RunnerJob) => Promise<unknown>, pool?: string): Promise<Worker>
  /** Says that a runner is up which serves these; `at` is when it last said so, in Unix ms. */
  announceRunner(pool: string, models: RunnerCard['models'], at?: number): Promise<void>
  /** Posts a generation and returns the accepted resource. */
  generate(body?: Record<string, unknown>): Promise<Generation>
  close(): Promise<void>
}

/** Reads a JSON body as the type the test expects; the contract tests check that it really is one. */
export const bodyOf = <T>(response: { json(): unknown }): T => response.json() as T

export const post = (app: FastifyInstance, url: string, body: unknown) =>
  app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** A stream that keeps what is written to it. */
export const collect = (lines: string[]) =>
  new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    }
  })

/** Waits until the server has found its Redis, which it looks for in the background. */
export const untilReady = (app: FastifyInstance): Promise<void> =>
  until('the server', async () => bodyOf<{ code?: string }>(await app.inject('/readyz')).code !== 'queue_unavailable')

const startRunner = (url: string, prefix: string, process: (job: RunnerJob) => Promise<unknown>, pool: string) => {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  connection.on('error', () => undefined)
  const settings = { backoffStrategy: () => 50 }
  const worker = new Worker<GenerateImagePayload>(queueOfPool(pool), process, { connection, prefix, settings })
  worker.on('error', () => undefined)
  return { worker, connection }
}

/** Workers in place of runners, and the way to end them. */
const openRunners = (url: string, prefix: string) => {
  const runners: ReturnType<typeof startRunner>[] = []
  return {
    start: async (process: (job: RunnerJob) => Promise<unknown>, pool = DEFAULT_POOL): Promise<Worker> => {
      const runner = startRunner(url, prefix, process, pool)
      runners.push(runner)
      await runner.worker.waitUntilReady()
      return runner.worker
    },
    close: async () => {
      for (const { worker, connection } of runners) {
        await worker.close(true)
        connection.disconnect()
      }
    }
  }
}

const ANY_KEY: NewKey = {
  name: 'test',
  scopes: ['admin'],
  limits: { requests_per_minute: null, in_flight: null, streams: null },
  expiresAt: null
}

/** What runners say. */
const createAnnouncer = (redis: Redis, keys: RedisKeys): Pick<TestApp, 'announce' | 'announceRunner'> => ({
  announce: async (card: Announcement) => {
    await redis.hset(keys.models, card.id, JSON.stringify(card))
  },
  announceRunner: async (pool, models, at = Date.now()) => {
    const time = new Date(at).toISOString()
    const card: RunnerCard = { id: `run_${pool}`, version: '0', pool, started_at: time, announced_at: time, max_batch: 1, models }
    await redis.hset(keys.runners, card.id, JSON.stringify(card))
    if (pool !== DEFAULT_POOL) await redis.zadd(keys.pools, at, pool)
  }
})

/** A server on a Redis of its own, with some announced models. */
export const openTestApp = async (
  environment: Record<string, string> = {},
  cards: readonly Announcement[] = [modelCard()],
  settings: Partial<Config> = {}
): Promise<TestApp> => {
  const server = await startRedis()
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-objects-'))
  const config = {
    ...readConfig({ REDIS_URL: server.url, OBJECT_DIR: directory, LOG_LEVEL: 'info', ...environment }),
    ...settings
  }
  const redis = new Redis(server.url, { scripts: SCRIPTS })
  redis.on('error', () => undefined)
  const keys = redisKeys(config.redisPrefix)
  const queues = openPoolQueues(redis, keys)
  const queue = queues.of(DEFAULT_POOL)
  const { announce, announceRunner } = createAnnouncer(redis, keys)
  for (const card of cards) await announce(card)
  const logLines: string[] = []
  const app = await buildApp(config, { logStream: collect(logLines) })
  const runners = openRunners(server.url, keys.bullmq)
  await untilReady(app)
  return {
    app,
    server,
    redis,
    keys,
    queues,
    queue,
    directory,
    logLines,
    announce,
    announceRunner,
    createKey: (wanted = {}) => createKey({ redis, keys }, { ...ANY_KEY, ...wanted }),
    runner: runners.start,
    generate: async (body = {}) => bodyOf<Generation>(await post(app, '/generate', body)),
    close: async () => {
      await app.close()
      await runners.close()
      await queues.close()
      redis.disconnect()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}
