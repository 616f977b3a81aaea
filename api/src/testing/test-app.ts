import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { type GenerateImagePayload, type Generation, generateImageJob, type ModelCard, redisKeys } from '@nextscale/openapi'
import { type Job, Queue, Worker } from 'bullmq'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { buildApp } from '../build-app.ts'
import { type Config, readConfig } from '../config.ts'
import { createKey, type CreatedKey, type NewKey } from '../keys/create.ts'
import { type earlierCard, modelCard } from './model-card.ts'
import { type RedisServer, startRedis, until } from '@nextscale/platform/testing'

/** A card as a runner of some release announces it. */
type Announcement = ModelCard | ReturnType<typeof earlierCard>

export type RunnerJob = Job<GenerateImagePayload>

export interface TestApp {
  readonly app: FastifyInstance
  readonly server: RedisServer
  readonly redis: Redis
  readonly keys: ReturnType<typeof redisKeys>
  readonly queue: Queue<GenerateImagePayload>
  /** Where objects are kept. */
  readonly directory: string
  readonly logLines: string[]
  announce(card: Announcement): Promise<void>
  /** Makes an API key; servers that know of none yet may take a second to ask for it. */
  createKey(wanted?: Partial<NewKey>): Promise<CreatedKey>
  /** Starts a worker in place of a runner. */
  runner(process: (job: RunnerJob) => Promise<unknown>): Promise<Worker>
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

const startRunner = (url: string, prefix: string, process: (job: RunnerJob) => Promise<unknown>) => {
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  connection.on('error', () => undefined)
  const settings = { backoffStrategy: () => 50 }
  const worker = new Worker<GenerateImagePayload>(generateImageJob.queue, process, { connection, prefix, settings })
  worker.on('error', () => undefined)
  return { worker, connection }
}

/** Workers in place of runners, and the way to end them. */
const openRunners = (url: string, prefix: string) => {
  const runners: ReturnType<typeof startRunner>[] = []
  return {
    start: async (process: (job: RunnerJob) => Promise<unknown>): Promise<Worker> => {
      const runner = startRunner(url, prefix, process)
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
  const redis = new Redis(server.url)
  redis.on('error', () => undefined)
  const keys = redisKeys(config.redisPrefix)
  const queue = new Queue<GenerateImagePayload>(generateImageJob.queue, { connection: redis, prefix: keys.bullmq })
  queue.on('error', () => undefined)
  const announce = async (card: Announcement) => {
    await redis.hset(keys.models, card.id, JSON.stringify(card))
  }
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
    queue,
    directory,
    logLines,
    announce,
    createKey: (wanted = {}) => createKey({ redis, keys }, { ...ANY_KEY, ...wanted }),
    runner: runners.start,
    generate: async (body = {}) => bodyOf<Generation>(await post(app, '/generate', body)),
    close: async () => {
      await app.close()
      await runners.close()
      await queue.close()
      redis.disconnect()
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    }
  }
}
