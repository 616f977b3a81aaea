import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const SOURCE = resolve(import.meta.dirname, '..')

/** Where it is known what only some models have. Tests name what they ask for. */
const ROOM = /^(capabilities|testing)\/|\.test\.ts$/

/** What only some models have, in any spelling; classes of the language are meant where a name follows. */
const OF_SOME_MODELS = [
  /\bclass(?! [A-Z])\w*/,
  /\bclass_\w+|\bclasses\b|Class(es|Names?|Labels?)?\b/,
  /[vV]ocabular/,
  /\bVAR\b|'var'/,
  /\bcfg\b|\btop_?[kp]\b/i,
  /\bsmooth\b/,
  /\b(negative_?)?prompts?\b/i,
  /\.schedule\b|\bschedule[':\]]|[a-z]Schedule\b/,
  /nameOfSize|[cC]ard\.sizes|['"]size['"]/
]

const complaints = (text: string): string[] => OF_SOME_MODELS.flatMap((words) => words.exec(text)?.[0] ?? [])

test('such words are found, and none where there is none', () => {
  const spellings = [
    'class_label',
    'card.classes',
    'findClass',
    'the vocabulary',
    'VAR models',
    "family === 'var'",
    'request.cfg',
    'topK',
    'top_p',
    'request.smooth',
    'prompt: null',
    'negativePrompt',
    'request.schedule,',
    "request['size']"
  ]
  for (const text of spellings) assert.ok(complaints(text).length > 0, text)
  const others = 'export class Found; promptly, sizeBytes, the schedule of retries; scales, seed, stop_at_scale, previews'
  assert.deepEqual(complaints(others), [])
})

test('what only some models have is known in capabilities/ alone', async () => {
  const paths = (await readdir(SOURCE, { recursive: true })).filter((path) => path.endsWith('.ts') && !ROOM.test(path))
  assert.ok(paths.length > 150, `${paths.length} files`)
  const found: string[] = []
  for (const path of paths) {
    for (const word of complaints(await readFile(join(SOURCE, path), 'utf8'))) found.push(`${path}: ${word}`)
  }
  assert.deepEqual(found, [])
})
