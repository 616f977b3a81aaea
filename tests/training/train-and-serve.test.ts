import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Generation, Model } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from '../src/support/deployment.ts'
import { readTokens } from '../src/support/read-tokens.ts'

const repository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const TRAINING = repository('gpu-runner/training')
const COLOURS = { blue: '#2040e0', green: '#20a040', red: '#d03020' }
const PICTURES_PER_CLASS = 10
const TIMEOUT_MS = 300_000

const CONFIG = `
[model]
id = "toy"
name = "Toy"
license = "CC0-1.0"

[data]
kind = "folder"
path = "pictures"
held_out = 0.2

[tokenizer]
vocabulary = 64
code_channels = 8
width = 32
multipliers = [1, 2]
blocks = 1
scales = [1, 2, 3, 4]

[tokenizer_training]
steps = 300
batch = 8
learning_rate = 8e-4
warmup = 5
ema = 0.95
revive = 20

[transformer]
depth = 2
width = 64
heads = 2

[transformer_training]
steps = 150
batch = 16
learning_rate = 3e-3
warmup = 5
ema = 0.95
views = 2

[sampling]
cfg = 2.0
top_k = 8

[run]
folder = "run"
device = "cpu"
workers = 0
log_every = 50
`

const run = async (program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  (await promisify(execFile)(program, args, { cwd, env: { ...process.env, ...env }, timeout: TIMEOUT_MS, maxBuffer: 1e8 })).stdout

/** The package as pip installs it, so that the repository is not needed to run it. */
const installed = () => join(folder, 'installed')
const install = () =>
  run(
    'python',
    ['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-build-isolation', '--target', installed(), TRAINING],
    folder
  )
const train = (...args: string[]) =>
  run(join(installed(), 'bin', 'nextscale-train'), args, folder, { PYTHONPATH: installed(), PYTHONDONTWRITEBYTECODE: '1' })
const serving = (...args: string[]) => run('python', ['-B', '-m', 'tests.serving', ...args], TRAINING)
const models = (cwd: string, ...args: string[]) => run('node', [repository('scripts/nextscale.mjs'), 'models', ...args], cwd)

/** Discs of one colour a class, at changing places. */
const makePictures = async (folder: string): Promise<void> => {
  for (const [name, colour] of Object.entries(COLOURS)) {
    await mkdir(join(folder, name), { recursive: true })
    for (let index = 0; index < PICTURES_PER_CLASS; index++) {
      const disc = `<circle cx="${4.5 + (index % 3)}" cy="${4.5 + Math.floor(index / 3)}" r="4" fill="${colour}"/>`
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12"><rect width="12" height="12" fill="#fff"/>${disc}</svg>`
      await sharp(Buffer.from(svg))
        .png()
        .toFile(join(folder, name, `${index}.png`))
    }
  }
}

let folder: string
let service: Deployment
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextscale-training-'))
  await makePictures(join(folder, 'pictures'))
  await writeFile(join(folder, 'toy.toml'), CONFIG)
  await install()
  await train('tokenizer', 'toy.toml')
  await train('transformer', 'toy.toml')
  await train('export', 'toy.toml', '--out', 'toy', '--precision', 'fp32')
  await serving('random', folder)
  await models(folder, 'add', '--vae', 'vae.pth', '--var', 'var.pth', '--id', 'published')
  service = await deploy({ env: { MODELS: `${join(folder, 'toy')},${join(folder, 'models', 'published')}` } })
})
after(async () => {
  await service?.close()
  await rm(folder, { recursive: true })
})

const generate = async (body: object): Promise<Generation> => {
  const generation = await service.client.finish((await service.client.generate(body)).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}

const readPixels = async ({ outputs }: Generation) =>
  Promise.all(
    outputs.map(async ({ url }) =>
      sharp(await service.client.fetchPicture(url))
        .raw()
        .toBuffer()
    )
  )

test('what is exported passes the check of the runner', async () => {
  const said = await models(folder, 'check', 'toy')
  assert.match(said, /^manifest +toy \(Toy\), .*, resolution 8 px, classes 3,/)
})

test('a model trained on a folder of pictures is served, and makes pictures of the class that is asked for', async () => {
  const page = (await service.client.send('get', '/v1/models/toy')).body as Model
  assert.deepEqual([page.name, page.license, page.defaults], ['Toy', 'CC0-1.0', { cfg: 2, top_k: 8, top_p: 1 }])
  for (const [channel, name] of [
    [0, 'red'],
    [1, 'green'],
    [2, 'blue']
  ] as const) {
    const pictures = await readPixels(await generate({ model: 'toy', class_name: name, num_images: 4, seed: 1 }))
    const sums = [0, 1, 2].map((each) =>
      pictures.flatMap((pixels) => [...pixels].filter((_, index) => index % 3 === each)).reduce((sum, value) => sum + value, 0)
    )
    assert.equal(sums.indexOf(Math.max(...sums)), channel, `${name}: red, green and blue add up to ${sums.join(', ')}`)
  }
})

for (const [model, label, files] of [
  ['toy', 2, ['toy/tokenizer.safetensors', 'toy/transformer.safetensors', '--scales', '1', '2', '3', '4']],
  ['published', 5, ['vae.pth', 'var.pth']]
] as const) {
  test(`PyTorch and the runner take the same tokens and make the same picture: ${model}`, async () => {
    const paths = files.map((file) => (file.includes('.') ? join(folder, file) : file))
    const expected = JSON.parse(await serving('greedy', ...paths, '--label', String(label))) as {
      tokens: number[]
      pixels: number[]
    }
    const page = (await service.client.send('get', `/v1/models/${model}`)).body as Model
    const generation = await generate({ model, class_label: label, cfg: 3, top_k: 1, return_tokens: true })
    const tokens = await readTokens(generation.outputs[0]?.tokens_url, page)
    assert.deepEqual(tokens, expected.tokens)
    assert.ok(new Set(tokens).size > 5, 'a model that always takes the same token proves nothing')
    const [pixels] = await readPixels(generation)
    const area = page.width * page.height
    assert.equal(pixels?.length, expected.pixels.length)
    pixels?.forEach((value, i) => {
      const reference = expected.pixels[(i % 3) * area + Math.floor(i / 3)] ?? Number.NaN
      assert.ok(Math.abs(value - reference) <= 1, `pixel ${Math.floor(i / 3)}: ${value} here, ${reference} in PyTorch`)
    })
  })
}
