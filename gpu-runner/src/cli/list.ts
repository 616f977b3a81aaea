import { access, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isModelUrl } from '../bucket/model-url.ts'
import { namedModels } from '../config.ts'
import { ModelError } from '../errors.ts'
import { MANIFEST_FILE } from '../model/manifest-file.ts'
import { inspectModel } from '../families/inspect-model.ts'
import type { Command } from './command.ts'
import { CommandError, parse } from './command.ts'
import { formatBytes } from '../units.ts'
import { formatTable } from './format.ts'
import { weightBytes } from './weight-bytes.ts'

const SHIPPED_FOLDER = fileURLToPath(new URL('../../models', import.meta.url))

const LAST = ['weights', 'folder']

const usage = `nextscale models list [FOLDER...]
  Shows models: those in the folders, or the shipped ones, those in ./models and those that MODELS names.`

const hasManifest = (folder: string): Promise<boolean> =>
  access(join(folder, MANIFEST_FILE)).then(
    () => true,
    () => false
  )

/** Model folders inside a folder; none when it is not there. */
const modelsInside = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => [])
  const folders = names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name))
  const found = await Promise.all(folders.map(async (each) => ((await hasManifest(each)) ? [each] : [])))
  return found.flat().sort()
}

const defaultFolders = async (): Promise<string[]> => [
  ...new Set([...(await modelsInside(SHIPPED_FOLDER)), ...(await modelsInside(resolve('models'))), ...namedModels()])
]

/** Those of one family have facts that others have not. */
export const tableOf = (rows: readonly Readonly<Record<string, string>>[]): string[] => {
  const headings = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((heading) => !LAST.includes(heading))
  const columns = [...headings, ...LAST]
  return formatTable([columns, ...rows.map((row) => columns.map((heading) => row[heading] ?? ''))])
}

export const describeFolder = async (...args: Parameters<typeof inspectModel>): Promise<Record<string, string>> => {
  const [folder] = args
  const inspection = await inspectModel(...args)
  const { model, name } = inspection
  const { id, revision } = model
  return { id, name, revision, ...(await inspection.facts()), weights: formatBytes(await weightBytes(model)), folder }
}

/** Shows what models there are, of any family. A folder that is no model is named, and the others are shown all the same. */
export const list: Command = {
  usage,
  run: async (args, { say }) => {
    const { positionals } = parse(args, {}, { usage, positionals: [0, Infinity] })
    const named = positionals.length > 0 ? positionals.map((folder) => resolve(folder)) : await defaultFolders()
    const rows: Record<string, string>[] = []
    const refused: string[] = []
    for (const folder of named.filter((each) => !isModelUrl(each))) {
      try {
        rows.push(await describeFolder(folder))
      } catch (error) {
        if (!(error instanceof ModelError)) throw error
        refused.push(error.message.includes(folder) ? error.message : `${folder}: ${error.message}`)
      }
    }
    if (rows.length > 0) say(...tableOf(rows))
    for (const address of named.filter(isModelUrl)) say(`${address} is in a bucket: the runner that serves it fetches it.`)
    if (refused.length > 0) throw new CommandError(...refused)
  }
}
