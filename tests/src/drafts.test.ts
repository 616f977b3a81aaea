import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Generation, Model } from '@nextscale/openapi'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { readTokens } from './support/read-tokens.ts'

let service: Deployment
let model: Model
before(async () => {
  service = await deploy()
  model = (await service.client.send('get', '/v1/models/emoji-32')).body as Model
})
after(() => service.close())

const run = async (body: object): Promise<Generation> => {
  const generation = await service.client.finish((await service.client.generate(body)).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}

const goOn = async (id: string, body: object = {}): Promise<Generation> => {
  const response = await service.client.send('post', `/v1/generations/${id}/continue`, (sent) => sent.send(body))
  assert.equal(response.status, 202, JSON.stringify(response.body))
  return service.client.finish((response.body as Generation).id)
}

const tokensUpTo = (scale: number) => model.scales.slice(0, scale + 1).reduce((sum, { height, width }) => sum + height * width, 0)
const picturesOf = ({ outputs }: Generation) => Promise.all(outputs.map(({ url }) => service.client.fetchPicture(url)))
const tokensOf = ({ outputs }: Generation, count?: number) =>
  Promise.all(outputs.map(({ tokens_url: url }) => readTokens(url, model, count)))

const SETTINGS = { class_name: 'fox', seed: 7, num_images: 2, return_tokens: true }

test('a draft that is continued is the whole generation, byte for byte', async () => {
  const whole = await run(SETTINGS)
  const draft = await run({ ...SETTINGS, stop_at_scale: 3 })
  const drawn = tokensUpTo(3)
  assert.deepEqual(draft.progress, { scale: 4, scales: 4, tokens: 2 * drawn, tokens_total: 2 * drawn })
  assert.equal(draft.metrics.scale_ms?.length, 4)
  assert.deepEqual(
    await tokensOf(draft, drawn),
    (await tokensOf(whole)).map((tokens) => tokens.slice(0, drawn))
  )
  assert.notDeepEqual(await picturesOf(draft), await picturesOf(whole))
  const continued = await goOn(draft.id)
  assert.deepEqual(continued.parent, { id: draft.id, keep_scales: null })
  assert.deepEqual(await picturesOf(continued), await picturesOf(whole))
  assert.deepEqual(await tokensOf(continued), await tokensOf(whole))
})

for (const smooth of [false, true]) {
  test(`a variation begins with its parent's tokens and ends with others${smooth ? ', blended as well' : ''}`, async () => {
    const parent = await run({ ...SETTINGS, smooth })
    const varied = await goOn(parent.id, { keep_scales: 4, seed: 8 })
    const [ours, theirs] = [await tokensOf(varied), await tokensOf(parent)]
    const kept = tokensUpTo(3)
    for (const [image, tokens] of ours.entries()) {
      assert.deepEqual(tokens.slice(0, kept), theirs[image]?.slice(0, kept))
      assert.notDeepEqual(tokens.slice(kept), theirs[image]?.slice(kept))
    }
    assert.notDeepEqual(await picturesOf(varied), await picturesOf(parent))
    assert.deepEqual(await picturesOf(await goOn(parent.id, { keep_scales: 4, seed: 8 })), await picturesOf(varied))
    assert.deepEqual(await picturesOf(await goOn(parent.id, { keep_scales: 4, seed: 7 })), await picturesOf(parent))
  })
}

test('drafts and whole generations that are sampled together do not change each other', async () => {
  const bodies = [0, 2, 4, null, 5].map((stop_at_scale, seed) => ({ class_name: 'fox', seed, stop_at_scale }))
  const together = await Promise.all(bodies.map(run))
  for (const [index, body] of bodies.entries()) {
    assert.equal((await run(body)).outputs[0]?.sha256, together[index]?.outputs[0]?.sha256)
  }
})

test('a draft of a scale that the model has not is refused, and so is going on where there is nothing to add', async () => {
  const { client } = service
  const beyond = await client.send('post', '/generate', (sent) => sent.send({ stop_at_scale: model.scales.length }))
  assert.deepEqual([beyond.status, asProblem(beyond).errors[0]?.pointer], [422, '/stop_at_scale'])
  const whole = await run({ stop_at_scale: model.scales.length - 1 })
  const nothing = await client.send('post', `/v1/generations/${whole.id}/continue`, (sent) => sent.send({}))
  assert.deepEqual([nothing.status, asProblem(nothing).code], [409, 'generation_not_continuable'])
})
