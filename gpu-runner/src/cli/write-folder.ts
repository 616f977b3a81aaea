import { lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises'
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

/** Removes a folder, and those around it that were made for it unless something else has come into them. */
const removeMade = async (folder: string, outermost: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true })
  for (let around = folder; around !== outermost;) {
    around = dirname(around)
    const isRemoved = await rmdir(around).then(
      () => true,
      () => false
    )
    if (!isRemoved) return
  }
}

/**
 * Makes a folder whose content is complete from the moment it is there: it is written beside its place under another
 * name and then renamed. After an error nothing is left.
 * @throws CommandError when the target exists or cannot be made; `argument` is what names it.
 */
export const writeFolder = async <T>(target: string, argument: string, write: (folder: string) => Promise<T>): Promise<T> => {
  await refuseExisting(target, argument)
  const staging = join(dirname(target), `.${basename(target)}.partial-${process.pid}`)
  const outermost = await mkdir(staging, { recursive: true }).catch((error: unknown) => {
    throw new CommandError(
      `${target} cannot be made (${error instanceof Error ? error.message : String(error)}): give another ${argument}.`
    )
  })
  try {
    const written = await write(staging)
    await refuseExisting(target, argument)
    await rename(staging, target)
    return written
  } catch (error) {
    await removeMade(staging, outermost ?? staging)
    throw error
  }
}
