import { lstat, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CommandError } from './command.ts'

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false
  )

/** @throws CommandError when there is something at that place already. */
export const refuseExisting = async (target: string, argument: string): Promise<void> => {
  if (await exists(target)) throw new CommandError(`${target} exists already: remove it, or give another ${argument}.`)
}

/**
 * Makes a folder whose content is complete from the moment it is there: it is written beside its place under another
 * name and then renamed. After an error nothing is left.
 * @throws CommandError when the target exists or cannot be made; `argument` is what names it.
 */
export const writeFolder = async (target: string, argument: string, write: (folder: string) => Promise<void>): Promise<void> => {
  await refuseExisting(target, argument)
  const staging = join(dirname(target), `.${basename(target)}.partial-${process.pid}`)
  try {
    await mkdir(staging, { recursive: true })
  } catch (error) {
    throw new CommandError(
      `${target} cannot be made (${error instanceof Error ? error.message : String(error)}): give another ${argument}.`
    )
  }
  try {
    await write(staging)
    await refuseExisting(target, argument)
    await rename(staging, target)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
