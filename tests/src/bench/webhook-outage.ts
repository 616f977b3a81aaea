import type { Generation, WebhookDelivery } from '@nextscale/openapi'
import { setTimeout } from 'node:timers/promises'
import { type Deployment, deploy } from '../support/deployment.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { inLanes } from './in-lanes.ts'
import { createRecordingReceiver, type RecordingReceiver } from './recording-receiver.ts'
import { percentile, printTable, short } from './report.ts'

const GENERATIONS = 200
const WARM_UP = 20
const IN_FLIGHT = 8
/** Of the shipped model’s seven the second: what is measured is everything but sampling. */
const SCALE = 1
/** The service’s own pauses between attempts, and how much shorter or longer chance makes them. */
const PAUSES_SECONDS = [5, 30, 120, 600, 3600]
const EARLY = 0.9
const LATE = 1.1
const MARGIN_SECONDS = 60

interface Made {
  ids: string[]
  /** From the first that was made to the last that ended. */
  perSecond: number
}

const generateAll = async ({ client }: Deployment, url: string, count = GENERATIONS): Promise<Made> => {
  const made: Generation[] = []
  await inLanes(IN_FLIGHT, count, async (index) => {
    made.push(await client.generate({ class_label: index % 60, seed: index, stop_at_scale: SCALE, webhook: { url } }))
  })
  const ended: Generation[] = []
  for (const { id } of made) ended.push(await client.finish(id))
  const failed = ended.find(({ status }) => status !== 'succeeded')
  if (failed) throw new Error(`${failed.id} is ${failed.status}`)
  const begun = Math.min(...ended.map(({ created_at: at }) => Date.parse(at)))
  const over = Math.max(...ended.map(({ completed_at: at }) => Date.parse(at ?? '')))
  return { ids: ended.map(({ id }) => id), perSecond: count / ((over - begun) / 1000) }
}

/** When, after its first attempt, a delivery is made again that finds the receiver away for so long: at the latest. */
const latestAttemptSeconds = (downSeconds: number): number => {
  let latest = 0
  for (const pause of PAUSES_SECONDS) {
    const earliest = (latest / LATE) * EARLY + pause * EARLY
    latest += pause * LATE
    if (earliest > downSeconds) break
  }
  return latest
}

const readDeliveries = async ({ baseUrl }: Deployment, ids: readonly string[]): Promise<WebhookDelivery[]> => {
  const deliveries: WebhookDelivery[] = []
  for (const id of ids) {
    const answer = await fetch(`${baseUrl}/v1/webhook-deliveries?generation_id=${id}`)
    const { data } = (await answer.json()) as { data: WebhookDelivery[] }
    deliveries.push(...data)
  }
  return deliveries
}

const missing = ({ recorded }: RecordingReceiver, ids: readonly string[]): string[] => {
  const arrived = new Set(recorded.map(({ generationId }) => generationId))
  return ids.filter((id) => !arrived.has(id))
}

/** Waits for every delivery; resolves to what never came. */
const awaitAll = async (receiver: RecordingReceiver, ids: readonly string[], seconds: number): Promise<string[]> => {
  const all = until('every delivery arrives', async () => missing(receiver, ids).length === 0, seconds * 1000)
  await all.catch(() => undefined)
  return missing(receiver, ids)
}

const report = async (service: Deployment, receiver: RecordingReceiver, ids: readonly string[], openedAt: number) => {
  const wanted = new Set(ids)
  const late = receiver.recorded.filter(({ generationId }) => wanted.has(generationId))
  const deliveries = await until('every delivery that arrived is on record as delivered', async () => {
    const found = await readDeliveries(service, ids)
    return found.filter(({ status }) => status === 'delivered').length >= new Set(late.map(({ id }) => id)).size && found
  })
  const attempts = deliveries.map((delivery) => delivery.attempts.length)
  printTable('Once the receiver is back (targets: 0 lost, 0 twice)', [
    {
      lost: missing(receiver, ids).length,
      twice: late.length - new Set(late.map(({ id }) => id)).size,
      'attempts, least': Math.min(...attempts),
      p50: percentile(attempts, 0.5),
      most: Math.max(...attempts),
      'first s': short((Math.min(...late.map(({ at }) => at)) - openedAt) / 1000),
      'last s': short((Math.max(...late.map(({ at }) => at)) - openedAt) / 1000)
    }
  ])
}

/** Generations while the receiver of their webhooks is away, what that costs, and what comes of the webhooks. */
export const benchWebhookOutage = async (downSeconds: number): Promise<void> => {
  const latestSeconds = latestAttemptSeconds(downSeconds)
  const service = await deploy({ env: { EGRESS: 'any' } })
  const port = await freePort()
  const receiver = createRecordingReceiver(port)
  const url = `http://127.0.0.1:${port}/`
  try {
    await receiver.open()
    await generateAll(service, url, WARM_UP)
    const before = await generateAll(service, url)
    if ((await awaitAll(receiver, before.ids, MARGIN_SECONDS)).length > 0) throw new Error('webhooks are lost without an outage')
    await receiver.close()
    const downAt = Date.now()
    const during = await generateAll(service, url)
    await setTimeout(Math.max(0, downAt + downSeconds * 1000 - Date.now()))
    await receiver.open()
    const openedAt = Date.now()
    const lost = await awaitAll(receiver, during.ids, latestSeconds - downSeconds + MARGIN_SECONDS)
    const after = await generateAll(service, url)
    const rate = (before.perSecond + after.perSecond) / 2
    printTable(
      `${GENERATIONS} generations with webhooks, their receiver away for ${downSeconds} s (target: ratio at least 0.95)`,
      [
        {
          'generations/s before': short(before.perSecond),
          meanwhile: short(during.perSecond),
          after: short(after.perSecond),
          ratio: short(during.perSecond / rate, 2)
        }
      ]
    )
    await report(service, receiver, during.ids, openedAt)
    if (lost.length > 0) throw new Error(`${lost.length} deliveries are lost, among them that of ${lost[0]}`)
  } finally {
    await receiver.close()
    await service.close()
  }
}
