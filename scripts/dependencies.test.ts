import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { LOCKED } from './locked.ts'

const ROOT = resolve(import.meta.dirname, '..')

interface Locked {
  link?: boolean
  inBundle?: boolean
  resolved?: string
  integrity?: string
}

interface Manifest {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const read = async <T>(...path: string[]): Promise<T> => JSON.parse(await readFile(join(ROOT, ...path), 'utf8')) as T
const tracked = (pattern: string) =>
  execFileSync('git', ['ls-files', pattern], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')

describe('dependencies', () => {
  it('are audited in every folder that locks some', () => {
    const folders = tracked('*package-lock.json').map((file) => file.replace(/\/?package-lock\.json$/, ''))
    assert.deepEqual(folders.toSorted(), [...LOCKED].toSorted())
  })

  for (const folder of LOCKED)
    it(`are known by their digest, for every platform: ${join(folder, 'package-lock.json')}`, async () => {
      const { packages } = await read<{ packages: Record<string, Locked> }>(folder, 'package-lock.json')
      const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)
      assert.ok(installed.length > 10)
      for (const [path, { integrity, inBundle, resolved }] of installed) {
        // What comes inside of another package is covered by that one's.
        if (!inBundle) assert.match(integrity ?? 'none', /^sha512-[\w+/]{86}==$/, path)
        assert.equal(resolved, undefined, `${path} names a registry`)
      }
    })

  it('are pinned', async () => {
    for (const file of tracked('*package.json')) {
      const { dependencies = {}, devDependencies = {} } = await read<Manifest>(file)
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${file}: ${name}`)
    }
  })
})
