import { writeFile } from 'node:fs/promises'
import { parse } from 'node:path'
import type { Nextscale } from '../client.ts'
import type { GenerateRequest, Generation } from '../generated/contract.ts'
import { UsageError } from './command.ts'

type Format = NonNullable<NonNullable<GenerateRequest['output']>['format']>

const FORMATS: Readonly<Record<string, Format>> = { '.png': 'png', '.webp': 'webp', '.jpg': 'jpeg', '.jpeg': 'jpeg' }

/** Name of picture `index` of several: fox.png becomes fox-0.png. */
export const numbered = (path: string, index: number, count: number): string => {
  if (count === 1) return path
  const { ext } = parse(path)
  return `${path.slice(0, path.length - ext.length)}-${index}${ext}`
}

/** The format asked for, or that of the file's name. */
export const readFormat = (format: string | undefined, path: string | undefined): Format | undefined => {
  const asked = format === undefined ? FORMATS[parse(path ?? '').ext.toLowerCase()] : FORMATS[`.${format}`]
  if (asked || format === undefined) return asked
  throw new UsageError(`--format is "${format}"; give png, webp or jpeg.`)
}

/** Saves every picture and returns the names of the files. */
export const saveOutputs = async (
  client: Nextscale,
  { outputs }: Generation,
  { path, signal }: { path: string; signal: AbortSignal }
): Promise<string[]> => {
  const saved: string[] = []
  for (const output of outputs) {
    const name = numbered(path, output.index, outputs.length)
    await writeFile(name, await client.download(output, { signal }))
    saved.push(name)
  }
  return saved
}
