import { access, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { namedModels } from '../config.ts'
import { ModelError } from '../errors.ts'
import { MANIFEST_FILE } from '../model/manifest-file.ts'
import { openModel } from '../families/var/model/open-model.ts'
import type { Command } from './command.ts'
import { CommandError, parse } from './command.ts'
import { describeModel } from './describe-model.ts'
import { formatTable } from './format.ts'

const SHIPPED_FOLDER = fileURLToPath(new URL('../../models', import.meta.url))

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

/** Shows what models there are. A folder that is no model is named, and the others are shown all the same. */
export const list: Command = {
  usage,
  run: async (args, { say }) => {
    const { positionals } = parse(args, {}, { usage, positionals: [0, Infinity] })
    const folders = positionals.length > 0 ? positionals.map((folder) => resolve(folder)) : await defaultFolders()
    const rows: Record<string, string>[] = []
    const refused: string[] = []
    for (const folder of folders) {
      try {
        rows.push({ ...(await describeModel(await openModel(folder))), folder })
      } catch (error) {
        if (!(error instanceof ModelError)) throw error
        refused.push(error.message.includes(folder) ? error.message : `${folder}: ${error.message}`)
      }
    }
    const [first] = rows
    if (first) say(...formatTable([Object.keys(first), ...rows.map((row) => Object.values(row))]))
    if (refused.length > 0) throw new CommandError(...refused)
  }
}
