import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { findChanges } from './changed-files.ts'

let root: string
// A hook's own variables would lead git to the repository that is being committed to.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: root, env, encoding: 'utf8' })
const commit = (message: string) => {
  git('add', '-A')
  git('commit', '-q', '-m', message)
}
const write = (name: string, text = name) => writeFile(join(root, name), text)

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'nextscale-changed-'))
  git('init', '-q', '-b', 'main')
  await Promise.all([write('kept'), write('edited'), write('removed'), write('moved'), write('.gitignore', 'ignored')])
  commit('One.')
})

after(() => rm(root, { recursive: true }))

it('finds what is in no commit yet', async () => {
  assert.deepEqual(findChanges(root).files, [])
  await Promise.all([write('edited', 'new'), write('added'), write('ignored'), write('näme with space')])
  assert.deepEqual(findChanges(root).files, ['added', 'edited', 'näme with space'])
})

it('finds what a branch has changed since it left main, and not what main has since', async () => {
  git('checkout', '-q', '-b', 'branch')
  commit('Two.')
  git('checkout', '-q', 'main')
  await write('of-main')
  commit('Three.')
  git('checkout', '-q', 'branch')
  git('mv', 'moved', 'there')
  await rm(join(root, 'removed'))
  assert.deepEqual(findChanges(root).files, ['added', 'edited', 'moved', 'näme with space', 'removed', 'there'])
  assert.equal(findChanges(root).base, git('rev-parse', 'main~1').trim())
})

it('takes the last commit where there is no main', async () => {
  commit('Four.')
  git('branch', '-q', '-D', 'main')
  await write('kept', 'new')
  assert.deepEqual(findChanges(root), { base: 'HEAD', files: ['kept'] })
})

it('says so where there is no git', async () => {
  await rm(join(root, '.git'), { recursive: true })
  assert.throws(() => findChanges(root), /git cannot say/)
})
