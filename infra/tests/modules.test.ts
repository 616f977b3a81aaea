import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { startAnswers } from './support/answers.ts'
import { describeUnless } from './support/describe-unless.ts'
import { init, missing, standIn, terraform, TERRAFORM, withCopy } from './support/terraform.ts'

const folders = (
  await Promise.all(
    ['modules', 'examples'].map(async (kind) => (await readdir(join(TERRAFORM, kind))).map((name) => join(kind, name)))
  )
).flat()

describeUnless(
  missing,
  'modules and examples',
  () => {
    let answers: Awaited<ReturnType<typeof startAnswers>>
    before(async () => {
      answers = await startAnswers()
    })
    after(() => answers.close())

    it('are formatted', async () => {
      await terraform(TERRAFORM, ['fmt', '-check', '-recursive'])
    })

    for (const folder of folders) {
      it(`${folder} is valid, and its tests pass`, () =>
        withCopy(async (copy) => {
          const cwd = join(copy, folder)
          await init(cwd)
          // A test validates first.
          const args = existsSync(join(cwd, 'tests')) ? ['test'] : ['validate']
          await terraform(cwd, args, standIn(answers.url))
        }))
    }

    it('each module has tests', async () => {
      const bare = folders.filter((folder) => folder.startsWith('modules') && !existsSync(join(TERRAFORM, folder, 'tests')))
      if (bare.length > 0) throw new Error(`there is no tests/*.tftest.hcl in ${bare.join(', ')}`)
    })
  },
  { concurrency: 2 }
)
