import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Generator } from './generator.ts'

/** Digest of every file that a generator writes. */
const digestsOf = async (path: string): Promise<string> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return ''
  if (found.isFile())
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  const names = (await readdir(path)).filter((name) => name !== '__pycache__').toSorted()
  const digests = await Promise.all(names.map(async (name) => `${name} ${await digestsOf(join(path, name))}`))
  return digests.join('\n')
}

interface Options {
  /** Targets are seen from here. */
  root: string
  /** Names of those that fail where what they take is not there, and are not left alone. */
  required: readonly string[]
  say: (line: string) => void
}

/** Runs generators one after the other, and says of each what it wrote or why it did not. Whether none failed. */
export const runGenerators = async (generators: readonly Generator[], { root, required, say }: Options): Promise<boolean> => {
  let isWell = true
  for (const { name, target, make } of generators) {
    try {
      const before = await digestsOf(join(root, target))
      const made = await make()
      const isMissing = !made.isMade && required.includes(name)
      if (isMissing) isWell = false
      if (!made.isMade) say(`${isMissing ? 'failed' : 'left alone'} ${target}: ${made.because}`)
      else say(`${(await digestsOf(join(root, target))) === before ? 'unchanged' : 'wrote'} ${target}`)
    } catch (error) {
      isWell = false
      say(`failed ${target}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return isWell
}
