import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const SOURCE = resolve(import.meta.dirname, '..')

/** Rooms that know a model by what its family says of it. */
const ROOMS = /^(worker|sampler|image|observe|model|onnx|announce|checkpoint|bucket|cli)\/|^[^/]+$|^families\/[^/]+$/
/** The places that name what is in a family's own room. */
const TABLE = /^families\/(table|names|verbs)\.ts$/

/** What only some families have, in any spelling; classes of the language are meant where a name follows. */
const OF_A_FAMILY = [
  /\bclass(?! [A-Z])\w*/,
  /\bclass_\w+|\bclasses\b|\bClass(es|Name|Label)\b/,
  /\b(class)?[lL]abels?(At|OfRow)?\b/,
  /[vV]ocabular/,
  /\bVAR\b|\bVar[A-Z]|\bvar\b/,
  /token maps?/i,
  /\bside(s|Of)?\b|[a-z]Side\b|SIDE\b/,
  /\bcfg\b|\btop_?[kp]\b/i,
  /\bvae_local\b|\bvar_wo_ddp\b|--(vae|var)\b/,
  /\bsmooth\b|\bguid(ed|ance)\b/i,
  /families\/[\w-]+\//
]

const sources = async (): Promise<string[]> => {
  const found = await readdir(SOURCE, { recursive: true })
  return found.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && ROOMS.test(path))
}

const complaints = (text: string): string[] => OF_A_FAMILY.flatMap((words) => words.exec(text)?.[0] ?? [])

test('such words are found, and none where there is none', () => {
  const spellings = [
    'class_label',
    'its class is',
    'classNames',
    'classes',
    'labelAt(scale)',
    'the vocabulary',
    'VAR models',
    'VarOpening',
    "'./var/card.ts'",
    'token maps',
    'side: number',
    'MAX_SIDE',
    'input.cfg',
    'topK',
    'top_p',
    'smooth',
    'var_wo_ddp',
    'vae_local',
    '--vae FILE',
    "'../families/infinity/card.ts'"
  ]
  for (const text of spellings) assert.ok(complaints(text).length > 0, text)
  const others = 'export class Sampler; inside, beside, variable, labelNames; tokens, num_images, seed, stop'
  assert.deepEqual(complaints(others), [])
})

test('worker, sampler process, images, checkpoints, buckets, commands and the runner itself have no word of what only one family has', async () => {
  const rooms = (await sources()).filter((path) => !TABLE.test(path))
  assert.ok(rooms.length > 90, `${rooms.length} files`)
  const found: string[] = []
  for (const path of rooms) {
    for (const word of complaints(await readFile(join(SOURCE, path), 'utf8'))) found.push(`${path}: ${word}`)
  }
  assert.deepEqual(found, [])
})
