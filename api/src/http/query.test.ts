import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { operations } from '@nextscale/openapi'
import { assertKept } from '../testing/contract.ts'
import { pointersOf, problemOf } from '../testing/problem-of.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

/** A path of an operation, with ids that could exist. */
const pathOf = (path: string) =>
  path
    .replace('{file}', '0.png')
    .replace('webhook-deliveries/{id}', `webhook-deliveries/whd_${'a'.repeat(26)}`)
    .replace('{id}', `gen_${'a'.repeat(26)}`)

test('a field that a query has not is refused on every operation, by HEAD as by GET', async () => {
  for (const operation of operations) {
    const { method, path } = operation
    const url = `${pathOf(path)}?foo=1`
    const headers = { 'content-type': 'application/json' }
    const payload = operation.operationId === 'testWebhook' ? '{"url":"https://example.com"}' : '{}'
    const response = await context.app.inject({ method, url, headers, ...(method !== 'GET' && { payload }) })
    assertKept(operation, response)
    assert.ok(pointersOf(problemOf(response, 'invalid_request')).includes('/query/foo'), url)
    if (method === 'GET') assert.equal((await context.app.inject({ method: 'HEAD', url })).statusCode, 400, url)
  }
})

test('a wait where something is made is led to its header', async () => {
  for (const path of ['/generate', `/generations/gen_${'a'.repeat(26)}/continue`]) {
    const headers = { 'content-type': 'application/json' }
    const response = await context.app.inject({ method: 'POST', url: `${path}?wait=5`, headers, payload: '{}' })
    assert.match(problemOf(response, 'invalid_request').detail, /Send the header `Prefer: wait=n` instead/)
  }
  assert.equal((await context.app.inject('/generations')).json().data.length, 0)
})

test('numbers are written in digits, in one way', async () => {
  const spellings = ['0x10', '1e1', '%2B5', '05', '5.0', '%205', '5%20', '5%0a', '', 'Infinity', 'NaN', '-0', '٥']
  for (const text of spellings) {
    const problem = problemOf(
      await context.app.inject(`/generations?limit=${encodeURI(text).replaceAll('%25', '%')}`),
      'invalid_request'
    )
    assert.match(problem.detail, /^\/query\/limit: Must be an integer/, text)
  }
  assert.match(problemOf(await context.app.inject('/generations?limit=-5'), 'invalid_request').detail, /at least 1, not -5/)
  problemOf(await context.app.inject('/generations?limit=5&limit=6'), 'invalid_request')
  assert.equal((await context.app.inject('/generations?limit=5')).statusCode, 200)
})

test('pages of this server take any query, since tools add their own', async () => {
  for (const path of ['/', '/docs', '/docs/', '/openapi.json'])
    assert.ok((await context.app.inject(`${path}?utm_source=x`)).statusCode < 400, path)
})
