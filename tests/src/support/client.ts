import type { Generation, Problem } from '@nextscale/openapi'
import assert from 'node:assert/strict'
import request, { type Response, type Test } from 'supertest'
import { assertInContract } from './contract.ts'

const TERMINAL = ['succeeded', 'failed', 'canceled', 'expired']

export type Method = 'get' | 'post' | 'delete' | 'put' | 'patch'

/** What a caller does, each answer held against the contract. */
export interface Client {
  /** Sends a request that `prepare` may change. */
  send(method: Method, path: string, prepare?: (test: Test) => Test): Promise<Response>
  /** Posts a request that must be accepted. */
  generate(body?: object): Promise<Generation>
  read(id: string, waitSeconds?: number): Promise<Generation>
  /** Reads until the generation is terminal. */
  finish(id: string, timeoutMs?: number): Promise<Generation>
  cancel(id: string): Promise<Generation>
  /** Bytes behind a picture’s link. */
  fetchPicture(url: string): Promise<Buffer>
}

const asGeneration = (response: Response): Generation => response.body as Generation
export const asProblem = (response: Response): Problem => response.body as Problem

/** Sends the API key with everything, where one is given. */
export const createClient = (baseUrl: string, key?: string): Client => {
  const send: Client['send'] = async (method, path, prepare = (test) => test) => {
    const test = request(baseUrl)[method](path)
    const response = await prepare(key === undefined ? test : test.set('authorization', `Bearer ${key}`))
    const contentType = response.headers['content-type'] ?? ''
    const [bare = ''] = path.split('?')
    assertInContract({ method, path: bare, status: response.status, contentType, body: response.body })
    return response
  }
  const expect = async (status: number, sent: Promise<Response>): Promise<Response> => {
    const response = await sent
    assert.equal(response.status, status, JSON.stringify(response.body))
    return response
  }
  const read: Client['read'] = async (id, wait = 0) =>
    asGeneration(await expect(200, send('get', `/v1/generations/${id}?wait=${wait}`)))
  return {
    send,
    read,
    generate: async (body = {}) =>
      asGeneration(
        await expect(
          202,
          send('post', '/generate', (test) => test.send(body))
        )
      ),
    finish: async (id, timeoutMs = 60_000) => {
      const deadline = Date.now() + timeoutMs
      let generation = await read(id, 5)
      while (!TERMINAL.includes(generation.status) && Date.now() < deadline) generation = await read(id, 5)
      assert.ok(TERMINAL.includes(generation.status), `${id} is still ${generation.status} after ${timeoutMs} ms`)
      return generation
    },
    cancel: async (id) => asGeneration(await expect(200, send('post', `/v1/generations/${id}/cancel`))),
    fetchPicture: async (url) => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) })
      assert.equal(answer.status, 200)
      return Buffer.from(await answer.arrayBuffer())
    }
  }
}
