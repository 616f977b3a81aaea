import { writeFile } from 'node:fs/promises'
import type { Generation } from '../generated/contract.ts'
import { type Context, UsageError } from './command.ts'
import { checkFiles, describeFailure, numbered, STDOUT } from './picture-file.ts'
import type { Output } from './terminal/output.ts'

/** Where pictures are to go: files of this name, or standard output. */
export interface Target {
  path: string
  json: boolean
}

/**
 * Sees to it that `count` pictures can be saved.
 * @throws UsageError where they cannot.
 */
export const checkTarget = async (out: Output, { path, json }: Target, count: number): Promise<void> => {
  if (path !== STDOUT) return checkFiles(path, count)
  if (json) throw new UsageError('-o - and --json both want standard output: leave one of them out.')
  if (count > 1) throw new UsageError(`-o - has room for one picture, and there are ${count}: name a file.`)
  if (out.isTerminal) throw new UsageError('-o - would write a picture to the terminal: send it on with | or >, or name a file.')
}

/** Pictures that are made and could not be fetched or written. */
export class UnsavedError extends Error {
  override name = 'UnsavedError'
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')

/** Saves every picture, and says the name of each file. */
export const saveOutputs = async (
  { client, out, signal }: Context,
  { id, outputs }: Generation,
  { path, json }: Target
): Promise<void> => {
  const fail = (reason: string, cause: unknown) =>
    new UnsavedError(`${id} is made, but ${reason}. nextscale get ${id} -o FILE saves it elsewhere or again.`, { cause })
  for (const output of outputs) {
    const name = numbered(path, output.index, outputs.length)
    const bytes = await client.download(output, { signal }).catch((error: unknown) => {
      throw signal.aborted ? error : fail(`picture ${output.index} was not fetched: ${reasonOf(error)}`, error)
    })
    if (path === STDOUT) return out.sayBytes(bytes)
    await writeFile(name, bytes).catch((error: unknown) => {
      throw fail(describeFailure(name, error), error)
    })
    if (!json) out.say(name)
  }
}
