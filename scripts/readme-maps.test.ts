import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { glob, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { describe, it } from 'node:test'

const ROOT = resolve(import.meta.dirname, '..')
const HEADING = /^## Map$/m

interface MapOptions {
  /** Where the README is. */
  folder: string
  /** The folder of the sources, from which the map names them; what else it names is seen from the README. */
  sources: string
  /** Which files have to be named, or their folder. */
  isSource: (path: string) => boolean
}

const isModule = (path: string) => path.endsWith('.ts') && !path.endsWith('.test.ts') && basename(path) !== 'index.ts'
const isPython = (path: string) => path.endsWith('.py') && !basename(path).startsWith('__')

const MAPS: readonly MapOptions[] = [
  ...['openapi', 'platform', 'api', 'gpu-runner'].map((folder) => ({ folder, sources: 'src', isSource: isModule })),
  { folder: 'tests', sources: 'src', isSource: (path: string) => path.endsWith('.ts') },
  { folder: 'gpu-runner/training', sources: 'nextscale_train', isSource: isPython },
  { folder: 'openapi/sdk/python', sources: 'src/nextscale', isSource: isPython }
]

/** What the first cell of a row names; a name without a folder is beside the one before it. */
const namesIn = (cell: string, heading: string): string[] => {
  let folder = heading
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
    if (name.endsWith('/')) return join(heading, name)
    if (name.includes('/')) folder = join(heading, dirname(name))
    return join(folder, basename(name))
  })
}

/** Files and folders that the table under `## Map` names; below a row that is a bold folder and says nothing, names are in that. */
const readMap = (readme: string) => {
  const [, map = ''] = readme.split(HEADING)
  let heading = ''
  const names: string[] = []
  for (const [, cell = '', text = ''] of (map.split(/^## /m)[0] ?? '').matchAll(/^\| (.*?) *\| (.*?) *\|$/gm)) {
    const [, folder] = /^\*\*`(.+)\/`\*\*$/.exec(cell) ?? []
    if (folder === undefined) names.push(...namesIn(cell, heading))
    else heading = folder
    if (folder !== undefined && text !== '') names.push(`${folder}/`)
  }
  return {
    files: names.filter((name) => !name.endsWith('/')),
    folders: names.flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []))
  }
}

describe('the map of a README', () => {
  for (const { folder, sources, isSource } of MAPS) {
    it(`names every file or its folder, and none that is not there: ${folder}`, async () => {
      const { files, folders } = readMap(await readFile(join(ROOT, folder, 'README.md'), 'utf8'))
      assert.ok(files.length + folders.length > 5)
      const isThere = (name: string) => [sources, ''].some((from) => existsSync(join(ROOT, folder, from, name)))
      assert.deepEqual(
        [...files, ...folders].filter((name) => !isThere(name)),
        []
      )
      const paths = (await readdir(join(ROOT, folder, sources), { recursive: true })).filter(isSource)
      const isNamed = (path: string) => files.includes(path) || folders.some((name) => path.startsWith(`${name}/`))
      assert.deepEqual(paths.filter((path) => !isNamed(path)).toSorted(), [])
    })
  }

  it('is held wherever there is one', async () => {
    const found: string[] = []
    for await (const path of glob('**/README.md', { cwd: ROOT, exclude: ['**/node_modules/**', '**/.venv/**'] }))
      if (HEADING.test(await readFile(join(ROOT, path), 'utf8'))) found.push(dirname(path))
    assert.deepEqual(found.toSorted(), MAPS.map(({ folder }) => folder).toSorted())
  })
})
