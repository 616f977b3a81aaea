import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Generator, MADE } from './generator.ts'
import { runGenerators } from './run-generators.ts'

describe('making what is generated', () => {
  let root: string

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'nextscale-generate-'))
  })

  after(() => rm(root, { recursive: true }))

  const writes = (text: string): Generator => ({
    name: 'text',
    target: 'text.txt',
    make: async () => {
      await writeFile(join(root, 'text.txt'), text)
      return MADE
    }
  })
  const absent: Generator = {
    name: 'absent',
    target: 'absent.txt',
    make: async () => ({ isMade: false, because: 'no tool' })
  }
  const broken: Generator = {
    name: 'broken',
    target: 'broken.txt',
    make: async () => {
      throw new Error('crashed')
    }
  }

  const run = async (generators: readonly Generator[], required: readonly string[] = []) => {
    const said: string[] = []
    const isWell = await runGenerators(generators, { root, required, say: (line) => said.push(line) })
    return { isWell, said }
  }

  it('says what is another file than before, and what is not', async () => {
    assert.deepEqual(await run([writes('one')]), { isWell: true, said: ['wrote text.txt'] })
    assert.deepEqual(await run([writes('one')]), { isWell: true, said: ['unchanged text.txt'] })
    assert.deepEqual(await run([writes('two')]), { isWell: true, said: ['wrote text.txt'] })
  })

  it('leaves alone what cannot be made here, says why, and fails only where it was asked for by name', async () => {
    assert.deepEqual(await run([absent]), { isWell: true, said: ['left alone absent.txt: no tool'] })
    assert.deepEqual(await run([absent], ['absent']), { isWell: false, said: ['failed absent.txt: no tool'] })
  })

  it('goes on after one that fails, and fails in the end', async () => {
    const { isWell, said } = await run([broken, writes('three')])
    assert.equal(isWell, false)
    assert.deepEqual(said, ['failed broken.txt: crashed', 'wrote text.txt'])
  })
})
