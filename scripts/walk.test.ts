import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '..')
/** Before there was a list, it took this many. */
const FEWER_THAN = 65

const [, section = ''] = (await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8')).split(/^## From request to picture$/m)
const walk = [...(section.split(/^## /m)[0] ?? '').matchAll(/`([\w/-]+\.ts)`/g)].map(([, path = '']) => path)

/** Files that one calls, not those it has only types of. */
const calledBy = async (path: string): Promise<string[]> => {
  const text = await readFile(join(ROOT, path), 'utf8')
  const imports = [...text.matchAll(/^import (?!type )(\{[^}]*\}|[^{}\n]*) from '(\.[^']+)'/gm)]
  const isCall = (names: string) => names.split(/[{},]/).some((name) => name.trim() !== '' && !name.trim().startsWith('type '))
  return imports.flatMap(([, names = '', from = '']) => (isCall(names) ? [join(dirname(path), from)] : []))
}

test('the walk from a request to its picture names files that are there, each once, and not too many', async () => {
  assert.ok(walk.length > 30 && walk.length < FEWER_THAN, String(walk.length))
  assert.deepEqual(
    walk.filter((path, place) => walk.indexOf(path) !== place),
    []
  )
  for (const path of walk) await calledBy(path)
})

test('none of them calls back into one before it', async () => {
  const back: string[] = []
  for (const [place, path] of walk.entries())
    for (const called of await calledBy(path)) if (walk.slice(0, place).includes(called)) back.push(`${path} -> ${called}`)
  assert.deepEqual(back, [])
})
