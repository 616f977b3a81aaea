import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { withCopy, init, missing, terraform, TERRAFORM } from './support/terraform.ts'

const folders = (
  await Promise.all(
    ['modules', 'examples'].map(async (kind) => (await readdir(join(TERRAFORM, kind))).map((name) => join(kind, name)))
  )
).flat()

describe('modules and examples', { skip: missing }, () => {
  it('are formatted', async () => {
    await terraform(TERRAFORM, ['fmt', '-check', '-recursive'])
  })

  for (const folder of folders) {
    it(`${folder} is valid, and its tests pass`, () =>
      withCopy(async (copy) => {
        const cwd = join(copy, folder)
        await init(cwd)
        await terraform(cwd, ['validate'])
        if (existsSync(join(cwd, 'tests'))) await terraform(cwd, ['test'])
      }))
  }
})
