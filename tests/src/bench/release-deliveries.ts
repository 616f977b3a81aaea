import type { Generation } from '@nextscale/openapi'
import { Agent, request } from 'undici'
import type { Deployment } from '../support/deployment.ts'
import { inLanes } from './in-lanes.ts'

const IN_FLIGHT = 32

/**
 * Makes deliveries that are due: of generations that are canceled while no runner is up. Each has a `generation.canceled` with
 * the whole generation to send, and nobody sends it as long as no control process runs.
 */
export const releaseDeliveries = async ({ baseUrl }: Deployment, urls: readonly string[]): Promise<void> => {
  const dispatcher = new Agent({ connections: IN_FLIGHT })
  const post = async (path: string, body: object, expected: number): Promise<Generation> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await request(`${baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body), dispatcher })
    const text = await answer.body.text()
    if (answer.statusCode !== expected) throw new Error(`${path} answered ${answer.statusCode}: ${text}`)
    return JSON.parse(text) as Generation
  }
  await inLanes(IN_FLIGHT, urls.length, async (index) => {
    const body = { class_name: 'fox', metadata: { order: String(index) }, webhook: { url: urls[index] } }
    const { id } = await post('/v1/generate', body, 202)
    await post(`/v1/generations/${id}/cancel`, {}, 200)
  })
  await dispatcher.close()
}
