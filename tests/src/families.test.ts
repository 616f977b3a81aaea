import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Generation, Model, Problem } from '@nextscale/openapi'
import { Nextscale } from '@nextscale/sdk/source'
import sharp from 'sharp'
import { type Deployment, deploy, RECTANGLES_MODEL, RECTANGLES_RUNNER } from './support/deployment.ts'
import { startProcess } from './support/process.ts'
import { until } from './support/until.ts'

const FOX = 'a red fox in the snow'
/** Of a scale of the slow model: long enough to be met on its way. */
const SCALE_MS = 300
const VAR_TAKES = 'class_label, class_name, cfg, top_k, top_p, smooth, schedule, stop_at_scale, previews, return_tokens'
const RECTANGLES_TAKES = 'prompt, negative_prompt, size, cfg, stop_at_scale, previews, return_tokens'

let service: Deployment
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextscale-families-'))
  const slow = join(folder, 'slow')
  await mkdir(slow)
  const manifest = JSON.parse(await readFile(join(RECTANGLES_MODEL, 'manifest.json'), 'utf8')) as object
  await writeFile(join(slow, 'manifest.json'), JSON.stringify({ ...manifest, id: 'slow', scale_ms: SCALE_MS }))
  // Beside each other: a runner with the shipped model, and one with a family of its own.
  service = await deploy()
  await service.startRunner({ MODELS: `${RECTANGLES_MODEL},${slow}` }, RECTANGLES_RUNNER)
  await until('its models are known', async () => (await service.client.send('get', '/v1/models/slow')).status === 200)
})
after(async () => {
  await service.close()
  await rm(folder, { recursive: true, force: true })
})

const make = async (body: object): Promise<Generation> => {
  const generation = await service.client.finish((await service.client.generate({ model: 'rectangles', ...body })).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}
const fileOf = ({ outputs: [output] }: Generation) => service.client.fetchPicture(output?.url ?? '')
const sizeOf = async (file: Buffer) => {
  const { width, height } = await sharp(file).metadata()
  return [width, height]
}
const modelNamed = async (id: string) => (await service.client.send('get', `/v1/models/${id}`)).body as Model
const tokensOf = async (generation: Generation): Promise<Buffer> =>
  service.client.fetchPicture(generation.outputs[0]?.tokens_url ?? '')

test('a model says of which family it is, what it takes, and which sizes it draws', async () => {
  const { family, width, height, sizes, scales, ...model } = await modelNamed('rectangles')
  assert.deepEqual([family, width, height], ['rectangles', 24, 16])
  assert.deepEqual(sizes, [
    { width: 24, height: 16 },
    { width: 16, height: 24 }
  ])
  assert.deepEqual(scales, [
    { height: 2, width: 3 },
    { height: 4, width: 6 },
    { height: 8, width: 12 }
  ])
  assert.deepEqual(
    [model.tokens_per_image, model.vocabulary_size, model.num_classes, model.capabilities.join(', ')],
    [126, null, null, RECTANGLES_TAKES]
  )
  assert.partialDeepStrictEqual(model.defaults, { cfg: 3, top_k: null, top_p: null })
  for (const field of ['class_label', 'class_name', 'top_k', 'top_p', 'smooth', 'schedule'])
    assert.ok(model.unsupported.includes(field), field)
  const { data } = (await service.client.send('get', '/v1/models')).body as { data: Model[] }
  assert.deepEqual(data.map((listed) => listed.family).toSorted(), ['rectangles', 'rectangles', 'var'])
})

test('a prompt and a seed make a picture, the same again, and another of another prompt, size or seed', async () => {
  const body = { prompt: FOX, seed: 7 }
  const wide = await make(body)
  assert.deepEqual([wide.outputs[0]?.width, wide.outputs[0]?.height], [24, 16])
  assert.deepEqual(await sizeOf(await fileOf(wide)), [24, 16])
  assert.deepEqual([wide.input.prompt, wide.input.size, wide.input.class_name, wide.input.cfg], [FOX, '24x16', null, 3])
  assert.deepEqual(wide.progress, { scale: 3, scales: 3, tokens: 126, tokens_total: 126 })
  const tall = await make({ ...body, size: '16x24' })
  assert.deepEqual(await sizeOf(await fileOf(tall)), [16, 24])
  const shaOf = ({ outputs: [output] }: Generation) => output?.sha256
  assert.equal(shaOf(await make({ ...body, size: '24x16' })), shaOf(wide))
  const others = [tall, await make({ ...body, seed: 8 }), await make({ ...body, prompt: 'a blue fox' })]
  const led = await make({ ...body, negative_prompt: 'red' })
  assert.equal(new Set([wide, ...others, led].map(shaOf)).size, 5)
  const [first, second] = (await make({ ...body, num_images: 2 })).outputs
  assert.deepEqual([first?.sha256, second?.sha256], [shaOf(wide), shaOf(await make({ ...body, seed: 8 }))])
})

test('a picture says what it was made of: what its model takes, and nothing of others', async () => {
  const file = await fileOf(await make({ prompt: 'a fox 🦊', seed: 7 }))
  const text = (await sharp(file).metadata()).exif?.toString('latin1') ?? ''
  assert.deepEqual(JSON.parse(/\{.*\}/.exec(text)?.[0] ?? ''), {
    model: 'rectangles',
    model_revision: '1',
    prompt: 'a fox 🦊',
    negative_prompt: null,
    size: '24x16',
    seed: 7,
    cfg: 3
  })
})

test('previews come coarse to fine in the shape of the picture', async () => {
  const { previews, input } = await make({ prompt: FOX, seed: 7, size: '16x24', previews: 'auto' })
  assert.deepEqual(input.previews, [1])
  const { previews: named } = await make({ prompt: FOX, seed: 7, size: '16x24', previews: [0, 1] })
  assert.deepEqual(
    [...previews, ...named].map(({ scale, width, height }) => [scale, width, height]),
    [
      [1, 16, 24],
      [0, 16, 24],
      [1, 16, 24]
    ]
  )
})

test('a draft goes on to the picture that is made at once, and a variation keeps its coarse scales', async () => {
  const settings = { prompt: FOX, seed: 7, size: '16x24', return_tokens: true }
  const [whole, draft] = [await make(settings), await make({ ...settings, stop_at_scale: 1 })]
  assert.equal((await tokensOf(draft)).length, 3 * (6 + 24))
  const goOn = async (body: object) => {
    const { status, body: made } = await service.client.send('post', `/v1/generations/${draft.id}/continue`, (sent) =>
      sent.send(body)
    )
    assert.equal(status, 202, JSON.stringify(made))
    return service.client.finish((made as Generation).id)
  }
  assert.equal((await goOn({})).outputs[0]?.sha256, whole.outputs[0]?.sha256)
  const varied = await goOn({ keep_scales: 1, seed: 9 })
  const [tokens, others] = [await tokensOf(whole), await tokensOf(varied)]
  assert.equal(tokens.length, 3 * (6 + 24 + 96))
  assert.deepEqual(others.subarray(0, 18), tokens.subarray(0, 18))
  assert.notDeepEqual(others.subarray(18), tokens.subarray(18))
})

test('a generation of it is canceled at its next scale', async () => {
  const { client } = service
  const { id } = await client.generate({ model: 'slow', prompt: FOX })
  await until('a scale is done', async () => ((await client.read(id)).progress?.scale ?? 0) > 0)
  await client.cancel(id)
  const ended = await client.finish(id)
  assert.deepEqual([ended.status, ended.outputs], ['canceled', []])
  assert.ok((ended.progress?.scale ?? 3) < 3)
})

test('what is asked of a model of the other family is refused, and told what that one takes', async () => {
  const refused: [object, string, string, string][] = [
    [{ prompt: FOX }, 'unsupported_for_model', '/prompt', `emoji-32 takes no prompt; it takes ${VAR_TAKES}.`],
    [
      { model: 'rectangles', class_name: 'fox' },
      'unsupported_for_model',
      '/class_name',
      `rectangles takes no class_name; it takes ${RECTANGLES_TAKES}.`
    ],
    [
      { model: 'rectangles', top_k: 9 },
      'unsupported_for_model',
      '/top_k',
      `rectangles takes no top_k; it takes ${RECTANGLES_TAKES}.`
    ],
    [{ size: '24x16' }, 'unsupported_for_model', '/size', `emoji-32 draws pictures of 32x32 alone; it takes ${VAR_TAKES}.`],
    [
      { model: 'rectangles', size: '32x32' },
      'out_of_range_for_model',
      '/size',
      'rectangles draws pictures of 24x16, 16x24: size may be one of these, not 32x32.'
    ]
  ]
  for (const [body, code, pointer, sentence] of refused) {
    const answer = await service.client.send('post', '/generate', (sent) => sent.send(body))
    const problem = answer.body as Problem
    assert.deepEqual([answer.status, problem.code, problem.errors[0]?.pointer], [422, code, pointer], JSON.stringify(problem))
    assert.ok(problem.detail.startsWith(sentence), problem.detail)
  }
  for (const [body, pointer] of [
    [{ model: 'rectangles', prompt: 'x'.repeat(2001) }, '/prompt'],
    [{ model: 'rectangles', prompt: '' }, '/prompt'],
    [{ model: 'rectangles', size: '24 x 16' }, '/size']
  ] as const) {
    const answer = await service.client.send('post', '/generate', (sent) => sent.send(body))
    assert.deepEqual([answer.status, (answer.body as Problem).errors[0]?.pointer], [400, pointer])
  }
  assert.equal((await make({ prompt: '🦊'.repeat(2000) })).status, 'succeeded')
  assert.equal((await service.client.send('get', '/v1/models/rectangles/classes')).status, 422)
})

test('the shipped model goes on as ever beside it', async () => {
  const { client } = service
  const ids = await Promise.all(
    Array.from({ length: 8 }, async (_, seed) => {
      const body = seed % 2 ? { class_name: 'fox' } : { model: 'rectangles', prompt: FOX }
      return (await client.generate({ ...body, seed })).id
    })
  )
  for (const [seed, id] of ids.entries()) {
    const { status, outputs } = await client.finish(id)
    assert.deepEqual([status, outputs[0]?.width], ['succeeded', seed % 2 ? 32 : 24])
  }
})

const START = fileURLToPath(new URL('../../scripts/nextscale.mjs', import.meta.url))
const nextscale = async (...args: string[]): Promise<string> => {
  const started = startProcess(process.execPath, [START, ...args], {
    NEXTSCALE_URL: service.baseUrl,
    NEXTSCALE_HOME: folder,
    CI: '1'
  })
  await until(`nextscale ${args.join(' ')} ends`, async () => !started.isRunning(), 60_000)
  return started.output()
}

test('the command takes words as the model does, and tells of what was made', async () => {
  const path = join(folder, 'fox.png')
  assert.equal(
    await nextscale('generate', 'a', 'red', 'fox', '--model', 'rectangles', '--size', '16x24', '-o', path),
    `${path}\n`
  )
  assert.deepEqual(await sizeOf(await readFile(path)), [16, 24])
  assert.match(await nextscale('list', '--limit', '1'), / {2}rectangles {2}"a red fox" {2}16x24 {2}seed \d+\n$/)
  assert.equal(await nextscale('generate', 'fox', '-o', path), `${path}\n`)
  assert.match(await nextscale('list', '--limit', '1'), / {2}emoji-32 {2}fox {2}seed \d+\n$/)
  const models = await nextscale('models')
  assert.match(models, /^emoji-32 {2}var {2}32x32 {2}class_label, /)
  assert.match(models, /^rectangles {2}rectangles {2}24x16, 16x24 {2}prompt, negative_prompt, size, cfg, /m)
  assert.match(
    await nextscale('generate', '--class', 'fox', '--model', 'rectangles'),
    /^nextscale: rectangles takes no CLASS; it takes prompt, --negative-prompt, size, cfg, --draft, previews, --return-tokens\./
  )
  assert.match(
    await nextscale('classes', '--model', 'rectangles'),
    /^nextscale: rectangles has no classes to choose from; it takes prompt, /
  )
})

test('the TypeScript client asks, follows and downloads', async () => {
  const client = new Nextscale({ baseUrl: service.baseUrl })
  const seen: string[] = []
  const { outputs } = await client.generateAndWait(
    { model: 'rectangles', prompt: FOX, size: '16x24', seed: 7, previews: 'auto' },
    { onEvent: ({ event }) => void seen.push(event), signal: AbortSignal.timeout(30_000) }
  )
  assert.ok(seen.includes('preview') && seen.at(-1) === 'end', seen.join(' '))
  const [output] = outputs
  assert.ok(output)
  assert.deepEqual(await sizeOf(Buffer.from(await client.download(output))), [16, 24])
  const { capabilities } = await client.models.get('rectangles')
  assert.ok(capabilities.includes('prompt') && !capabilities.includes('class_name'))
})
