import { existsSync } from 'node:fs'
import { access, constants, open, rm, stat } from 'node:fs/promises'
import { dirname, parse } from 'node:path'
import type { GenerateRequest } from '../generated/contract.ts'
import { UsageError } from './command.ts'

type Format = NonNullable<NonNullable<GenerateRequest['output']>['format']>

/** `-o -`: the picture goes to standard output. */
export const STDOUT = '-'

const FORMATS: Readonly<Record<string, Format>> = { '.png': 'png', '.webp': 'webp', '.jpg': 'jpeg', '.jpeg': 'jpeg' }
/** Names of formats that pictures are not made in. */
const OTHERS = /^\.(gif|bmp|tiff?|avif|hei[cf]|jxl|jp2|ico|svg|pdf|psd)$/

const formatOfName = (path: string): Format | undefined => FORMATS[parse(path).ext.toLowerCase()]

/** The format asked for, or that of the file's name, which must not say another. */
export const readFormat = (format: string | undefined, path: string | undefined): Format | undefined => {
  const asked = format === undefined ? undefined : FORMATS[`.${format.toLowerCase()}`]
  if (format !== undefined && !asked) throw new UsageError(`--format is "${format}"; give png, webp or jpeg.`)
  const { ext } = parse(path ?? '')
  if (OTHERS.test(ext.toLowerCase()))
    throw new UsageError(
      `-o ${path} is no name for a picture: they are png, webp or jpeg. Choose a name that ends in one of them.`
    )
  const named = formatOfName(path ?? '')
  if (asked && named && asked !== named)
    throw new UsageError(`-o ${path} and --format ${format} contradict each other: leave --format out, or choose another name.`)
  return asked ?? named
}

/** @throws UsageError where a picture that is there already is of another format than the name says. */
export const checkFormat = (path: string, contentType: string): void => {
  const named = formatOfName(path)
  if (named && contentType !== `image/${named}`)
    throw new UsageError(`The picture is ${contentType}, and -o ${path} says another format: choose another name.`)
}

/** Name of picture `index` of several: fox.png becomes fox-0.png. */
export const numbered = (path: string, index: number, count: number): string => {
  if (count === 1) return path
  const { ext } = parse(path)
  return `${path.slice(0, path.length - ext.length)}-${index}${ext}`
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'nothing can be written there',
  EISDIR: 'it is a folder',
  ENOENT: 'no file can be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  ENAMETOOLONG: 'the name is too long',
  ENOTDIR: 'a part of its path is no folder'
}

/** Why a file could not be written. */
export const describeFailure = (path: string, error: unknown): string => {
  const { code = '', message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  if (code === 'ENOENT' && !existsSync(dirname(path))) return `${path} cannot be written: there is no folder ${dirname(path)}`
  return `${path} cannot be written: ${REASONS[code] ?? message}`
}

const find = async (path: string) => {
  try {
    return await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Opens a file as it would be for writing, and leaves everything as it was. */
const tryToWrite = async (path: string): Promise<void> => {
  const found = await find(path)
  // What is neither, such as a pipe or a device, must not be opened before it is written.
  if (found && !found.isFile() && !found.isDirectory()) return access(path, constants.W_OK)
  const file = await open(path, found ? 'r+' : 'wx')
  await file.close()
  if (!found) await rm(path)
}

/** More than a generation has pictures. */
const MOST_FILES = 100

/**
 * Sees to it that as many pictures can be saved, before they are made.
 * @throws UsageError where they cannot.
 */
export const checkFiles = async (path: string, count: number): Promise<void> => {
  if (path === '') throw new UsageError('-o is empty: name a file, or - for standard output.')
  for (let index = 0; index < Math.min(count, MOST_FILES); index++) {
    const name = numbered(path, index, count)
    try {
      if (/[/\\]$/.test(name)) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
      await tryToWrite(name)
    } catch (error) {
      throw new UsageError(`-o ${describeFailure(name, error)}. Name another file.`)
    }
  }
}
