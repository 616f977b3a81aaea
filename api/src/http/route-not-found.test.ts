import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { problemOf } from '../testing/problem-of.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'

const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const detailOf = async (method: 'GET' | 'POST' | 'HEAD', url: string) =>
  problemOf(await context.app.inject({ method, url, payload: method === 'POST' ? 'not json' : '' }), 'route_not_found').detail

test('a path with slashes or capitals of its own is a 404 that names the one that was meant', async () => {
  for (const [method, url, meant] of [
    ['POST', '/generate/', '/generate'],
    ['POST', '/Generate', '/generate'],
    ['POST', '//generate', '/generate'],
    ['POST', '/V1/Generate//', '/v1/generate'],
    ['GET', `/generations/${ID}/`, `/generations/${ID}`],
    ['GET', `/v1/generations//${ID}?wait=5`, `/v1/generations/${ID}`],
    ['POST', `/generations/${ID}/CANCEL`, `/generations/${ID}/cancel`],
    ['GET', '/OpenAPI.json', '/openapi.json'],
    ['GET', '/models/emoji-32/classes/', '/models/emoji-32/classes']
  ] as const)
    assert.equal((await detailOf(method, url)).split('. ', 2)[1], `Did you mean ${meant}?`, url)
})

test('any other unknown path leads to the list of routes, before its body is looked at', async () => {
  for (const [method, url] of [
    ['POST', '/pictures'],
    ['GET', '/v1'],
    ['GET', '/v2/generate'],
    ['GET', '/docs/absent'],
    ['POST', `/generations/${ID}/cancel/now`]
  ] as const)
    assert.match(await detailOf(method, url), /openapi\.json lists every route\.$/)
})
