import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '..')

/** Rows of the table under `## Map`: the folder they are in, and the files that their first cell names. */
const readMap = (readme: string) => {
  const [, map = ''] = readme.split(/^## Map$/m)
  let folder = ''
  const files: string[] = []
  const whole: string[] = []
  for (const [, cell = '', text = ''] of (map.split(/^## /m)[0] ?? '').matchAll(/^\| (.*?) *\| (.*?) *\|$/gm)) {
    const [, named] = /^\*\*`(.+)\/`\*\*$/.exec(cell) ?? []
    if (named === undefined) files.push(...[...cell.matchAll(/`([^`]+\.ts)`/g)].map(([, name = '']) => join(folder, name)))
    else folder = named
    if (named !== undefined && text !== '') whole.push(named)
  }
  return { files, whole }
}

/** Source files of a workspace, tests left out. */
const sourcesOf = async (workspace: string): Promise<string[]> => {
  const found = await readdir(join(ROOT, workspace, 'src'), { recursive: true })
  return found.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
}

for (const workspace of ['api']) {
  test(`the map of ${workspace} names every file or its folder, and none that is not there`, async () => {
    const { files, whole } = readMap(await readFile(join(ROOT, workspace, 'README.md'), 'utf8'))
    assert.ok(files.length > 10)
    const sources = await sourcesOf(workspace)
    assert.deepEqual(
      files.filter((path) => !sources.includes(path)),
      []
    )
    const isDescribed = (path: string) =>
      whole.some((folder) => dirname(path) === folder || dirname(path).startsWith(`${folder}/`))
    const unnamed = sources.filter((path) => !files.includes(path) && !isDescribed(path) && basename(path) !== 'index.ts')
    assert.deepEqual(unnamed, [])
  })
}
