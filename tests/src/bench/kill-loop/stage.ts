import { fileURLToPath } from 'node:url'
import { freePort } from '../../support/free-port.ts'
import { createRedis, type TestRedis } from '../../support/redis.ts'
import { createS3Server, type S3Server } from '../../support/s3-server.ts'
import { until } from '../../support/until.ts'
import { createRecordingReceiver, type RecordingReceiver } from '../recording-receiver.ts'
import { keepProcess, type KeptProcess } from './kept-process.ts'

const program = (path: string) => [process.execPath, fileURLToPath(new URL(`../../../../${path}`, import.meta.url))] as const

/** A service that generations are asked of. */
export interface LoadedStage {
  apis: string[]
  /** Models that are asked in turn; left out, the default one. */
  models?: readonly string[]
  receiverUrl: string
}

/** One whose generations are looked at in the end. */
export interface JudgedStage extends LoadedStage {
  receiver: RecordingReceiver
}

/** Two of every process, and the stores they share. */
export interface Stage extends JudgedStage {
  redis: TestRedis
  s3: S3Server
  /** By kind and number. */
  processes: Record<string, KeptProcess>
  /** Resolves once everything answers. */
  ready(): Promise<void>
  close(): Promise<void>
}

const isReady = async (api: string) => (await fetch(`${api}/readyz`).catch(() => undefined))?.status === 200

export const openStage = async (): Promise<Stage> => {
  const [redis, s3, ports] = [await createRedis(), await createS3Server(), [await freePort(), await freePort()]]
  const receiverPort = await freePort()
  const receiver = createRecordingReceiver(receiverPort)
  await receiver.open()
  const env = {
    ...s3.env,
    REDIS_URL: redis.url,
    EGRESS: 'any',
    MAX_BATCH: '4',
    LOCK_DURATION_MS: '2000',
    STALLED_INTERVAL_MS: '1000',
    SWEEP_INTERVAL_MS: '2000',
    WEBHOOK_RETRY_DELAYS_SECONDS: '1,1,2,2,4,4,8,8,15,15,30,30'
  }
  const processes: Record<string, KeptProcess> = {}
  for (const [place, port] of ports.entries()) {
    processes[`API ${place}`] = keepProcess(program('api/src/start.ts'), { ...env, PORT: String(port) })
    processes[`control ${place}`] = keepProcess(program('api/src/control/start.ts'), env)
    processes[`runner ${place}`] = keepProcess(program('gpu-runner/src/start.ts'), env)
  }
  const apis = ports.map((port) => `http://127.0.0.1:${port}`)
  return {
    redis,
    s3,
    receiver,
    receiverUrl: `http://127.0.0.1:${receiverPort}/`,
    processes,
    apis,
    ready: async () => void (await Promise.all(apis.map((api) => until(`${api} is ready`, () => isReady(api), 60_000)))),
    close: async () => {
      for (const kept of Object.values(processes)) await kept.stop()
      await receiver.close()
      await redis.close()
      await s3.close()
    }
  }
}
