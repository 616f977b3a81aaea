import { constants, createWriteStream } from 'node:fs'
import { copyFile, link, realpath } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { openFile } from './open-file.ts'

/** How a file came to its place. */
export type Placed = 'linked' | 'copied'

/** What a file system answers that cannot link two places, or may not. */
const NO_LINK = ['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

const tryTo = (step: Promise<void>, isRefusal: (error: unknown) => boolean): Promise<boolean> =>
  step.then(
    () => true,
    (error: unknown) => {
      if (isRefusal(error)) return false
      throw error
    }
  )

/**
 * Puts a file's content at another place: as a hard link, which takes no room, or as a copy where none can be made or
 * one is wanted. A symbolic link is followed first: one to a link would leave its folder.
 */
export const placeFile = async (
  source: string,
  target: string,
  { copy, signal }: { copy: boolean; signal: AbortSignal }
): Promise<Placed> => {
  const real = await realpath(source)
  if (!copy && (await tryTo(link(real, target), (error) => NO_LINK.includes(codeOf(error))))) return 'linked'
  // Some file systems share the blocks of a copy, at once; `copyFile` could not be interrupted otherwise.
  if (await tryTo(copyFile(real, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL), () => true)) return 'copied'
  const file = await openFile(real)
  try {
    await pipeline(file.handle.createReadStream({ autoClose: false }), createWriteStream(target), { signal })
  } finally {
    await file.close()
  }
  return 'copied'
}
