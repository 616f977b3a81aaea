import { fileURLToPath } from 'node:url'
import { readSmallFile } from '../../../checkpoint/open-file.ts'
import { ModelError } from '../../../errors.ts'
import { MAX_CLASS_NAME_LENGTH } from '../model/manifest.ts'
import { CommandError } from '../../../cli/command.ts'

const IMAGENET_FILE = fileURLToPath(new URL('../../../../data/imagenet-1k.txt', import.meta.url))
const IMAGENET_CLASSES = 1_000
const MAX_BYTES = 2 ** 20

const decodeUtf8 = (bytes: Buffer): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const readNames = async (path: string): Promise<string[]> => {
  const bytes = await readSmallFile(path, MAX_BYTES).catch((error: unknown) => {
    throw error instanceof ModelError ? new CommandError(`--classes: ${error.message}`) : error
  })
  const refuse = (reason: string): never => {
    throw new CommandError(
      `--classes ${path} ${reason}: it must be a text file with one name a line, in the order of the labels.`
    )
  }
  const names = (decodeUtf8(bytes) ?? refuse('is not UTF-8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.trim())
  const blank = names.indexOf('')
  if (blank >= 0) refuse(`has no name on line ${blank + 1}`)
  const long = names.findIndex(({ length }) => length > MAX_CLASS_NAME_LENGTH)
  if (long >= 0) refuse(`has a name of more than ${MAX_CLASS_NAME_LENGTH} characters on line ${long + 1}`)
  return names
}

/** Requests name classes whatever their case, so names that differ in nothing else are no help. */
const refuseTwins = (path: string, names: readonly string[]): void => {
  const lines = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    const key = name.normalize('NFC').toLowerCase()
    const other = lines.get(key)
    if (other !== undefined) {
      throw new CommandError(
        `--classes ${path} has the name "${name}" on lines ${other + 1} and ${index + 1}: names must differ.`
      )
    }
    lines.set(key, index)
  }
}

/**
 * Names of a model's classes: those of the file, ImageNet's where there are as many, or numbers.
 * @throws CommandError when the file's names are not as many as the classes, or not distinct.
 */
export const readClasses = async (count: number, path?: string): Promise<string[]> => {
  if (path === undefined) {
    return count === IMAGENET_CLASSES ? readNames(IMAGENET_FILE) : Array.from({ length: count }, (_, label) => `class ${label}`)
  }
  const names = await readNames(path)
  if (names.length !== count) {
    throw new CommandError(
      `--classes ${path} has ${names.length} names, but the transformer has ${count} classes: give one name a line.`
    )
  }
  refuseTwins(path, names)
  return names
}
