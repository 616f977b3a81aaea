import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the shipped model. */
export const SHIPPED_MODEL = fileURLToPath(new URL('../../../gpu-runner/models/emoji-32', import.meta.url))

/** Copies the shipped model into a folder of this name, with some of its manifest changed. Resolves with the folder. */
export const copyModel = async (into: string, name: string, changes: object): Promise<string> => {
  const folder = join(into, name)
  await cp(SHIPPED_MODEL, folder, { recursive: true })
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as object
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, ...changes }))
  return folder
}
