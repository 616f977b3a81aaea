import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'

const TICK_MS = 5
/** More would overflow what a listening socket holds; requests beyond wait, and their wait counts. */
const MAX_SOCKETS = 200

const send = (url: URL, method: string, body: string | undefined, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
    const sent = request(url, { method, agent, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200 || response.statusCode === 202) resolve()
        else reject(new Error(`${method} ${url.href} answered ${response.statusCode}`))
      })
    })
    sent.on('error', reject).end(body)
  })

/** Posts at a steady rate whatever the answers take; each latency counts from when its request was due. */
export const postAtRate = async (url: URL, body: string, perSecond: number, seconds: number): Promise<number[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const latenciesMs: number[] = []
  const pending: Promise<void>[] = []
  const begun = performance.now()
  const total = Math.floor(perSecond * seconds)
  while (pending.length < total) {
    const due = Math.min(total, ((performance.now() - begun) * perSecond) / 1_000)
    while (pending.length < due) {
      const dueAt = begun + (pending.length * 1_000) / perSecond
      pending.push(send(url, 'POST', body, agent).then(() => void latenciesMs.push(performance.now() - dueAt)))
    }
    await setTimeout(TICK_MS)
  }
  await Promise.all(pending)
  agent.destroy()
  return latenciesMs
}

/** Sends a request again and again on one connection; milliseconds of each. */
export const timeOneByOne = async (url: URL, count: number, body?: string): Promise<number[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const latenciesMs: number[] = []
  for (let i = 0; i < count; i++) {
    const sentAt = performance.now()
    await send(url, body === undefined ? 'GET' : 'POST', body, agent)
    latenciesMs.push(performance.now() - sentAt)
  }
  agent.destroy()
  return latenciesMs
}
