import { Agent, request } from 'node:http'

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
