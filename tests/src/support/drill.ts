import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { Generation } from '@nextscale/openapi'
import type { Deployment } from './deployment.ts'

/** Posts until told to stop, whatever happens to the servers, and keeps the ids of what was accepted. */
export interface Load {
  accepted: string[]
  refused: number
  stop(): Promise<string[]>
}

/** Plain HTTP: during a drill any answer and none may come, so nothing is held against the contract. */
const post = async (baseUrl: string, body: object): Promise<string | undefined> => {
  const answer = await fetch(`${baseUrl}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000)
  }).catch(() => undefined)
  if (answer?.status !== 202) return undefined
  return ((await answer.json()) as Generation).id
}

/** What a test that never stops it may put upon a service. */
const MAX_LOAD = 100_000

export const startLoad = ({ baseUrl }: Deployment, { intervalMs = 30, body = {} } = {}): Load => {
  const load = { accepted: [] as string[], refused: 0 }
  let stopped = false
  const run = async () => {
    for (let sent = 0; !stopped && sent < MAX_LOAD; sent += 1) {
      const id = await post(baseUrl, body)
      if (id === undefined) load.refused++
      else load.accepted.push(id)
      await setTimeout(intervalMs)
    }
  }
  const running = run()
  return Object.assign(load, {
    stop: async () => {
      stopped = true
      await running
      return load.accepted
    }
  })
}

/** Every accepted generation must have succeeded, once and for all, with every picture readable. */
export const assertAllSucceeded = async ({ client }: Deployment, ids: readonly string[]): Promise<Generation[]> => {
  assert.equal(new Set(ids).size, ids.length)
  const ended: Generation[] = []
  for (const id of ids) {
    const generation = await client.finish(id, 45_000)
    assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
    assert.equal(generation.outputs.length, generation.input.num_images)
    for (const { url, bytes } of generation.outputs) assert.equal((await client.fetchPicture(url)).length, bytes)
    ended.push(generation)
  }
  return ended
}
