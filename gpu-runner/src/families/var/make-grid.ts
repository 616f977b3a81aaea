/** Writes a sheet with one picture of each class: `npm run grid -w gpu-runner -- [model folder] [file]`. */
import { resolve } from 'node:path'
import sharp from 'sharp'
import { openModel } from './model/open-model.ts'
import { createEngine } from './sampler/engine.ts'
import { sampleBatch } from './sampler/sample-batch.ts'

const COLUMNS = 12
const CELL_PIXELS = 80
const SEED = 5
const THREADS = 2

const [folder = 'models/emoji-32', file = '../docs/emoji-32.webp'] = process.argv.slice(2)
const model = await openModel(resolve(folder))
const engine = await createEngine(model, { threads: THREADS, precision: null, cache: null })
const { cfg, top_k: topK, top_p: topP } = model.manifest.defaults
const requests = model.manifest.classes.map((_, label) => ({ seed: SEED, label, cfg, topK, topP, smooth: false, schedule: null }))
const { images } = await sampleBatch(engine, requests)
await engine.release()

const side = model.shape.resolution
const cells = images.map(async ({ index, pixels }) => ({
  input: await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .resize(CELL_PIXELS, CELL_PIXELS, { kernel: 'lanczos3' })
    .png()
    .toBuffer(),
  left: (index % COLUMNS) * CELL_PIXELS,
  top: Math.floor(index / COLUMNS) * CELL_PIXELS
}))
const rows = Math.ceil(images.length / COLUMNS)
await sharp({ create: { width: COLUMNS * CELL_PIXELS, height: rows * CELL_PIXELS, channels: 3, background: 'white' } })
  .composite(await Promise.all(cells))
  .webp({ quality: 88 })
  .toFile(resolve(file))
