import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder of the repository that others use as one. */
export interface Part {
  name: string
  folder: string
  /** What its code imports, by the names of their parts. */
  imports: readonly string[]
  /** What its tests start or read beside that; nobody who imports the part is touched by it. */
  tries: readonly string[]
  hasSuite: boolean
}

interface Manifest {
  name: string
  workspaces?: string[]
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** What no package.json says, since it is not imported but started, or read as a file. A test looks for more of it. */
const TRIES: Readonly<Record<string, readonly string[]>> = {
  platform: ['openapi/sdk/typescript'],
  tests: ['api', 'gpu-runner', 'scripts', 'sdk-python', 'openapi/sdk/go', 'tests/src/receivers', 'docs'],
  scripts: ['api', 'gpu-runner', 'openapi/sdk/typescript', 'sdk-python', 'openapi/sdk/go'],
  'openapi/sdk/typescript': ['openapi'],
  'sdk-python': ['openapi', 'api', 'gpu-runner', 'scripts', 'tests/src/receivers']
}

/** Folders that are no workspaces: with a suite of another name, or with none. */
const OTHERS = [
  { name: 'sdk-python', folder: 'openapi/sdk/python', hasSuite: true },
  { name: 'openapi/sdk/go', folder: 'openapi/sdk/go', hasSuite: false },
  { name: 'tests/src/receivers', folder: 'tests/src/receivers', hasSuite: false },
  { name: 'docs', folder: 'docs', hasSuite: false },
  { name: 'gpu-runner/training', folder: 'gpu-runner/training', hasSuite: false }
] as const

/** The workspaces, the scripts, and what else is tested as one. What imports what is said by each package.json. */
export const readParts = async (root: string): Promise<Part[]> => {
  const read = async (folder: string) => JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Manifest
  const { workspaces = [], ...scripts } = await read('')
  const folders = [{ folder: 'scripts', manifest: { ...scripts, name: 'scripts' } }]
  for (const folder of workspaces) folders.push({ folder, manifest: await read(folder) })
  const folderOf = new Map(folders.map(({ folder, manifest }) => [manifest.name, folder]))
  const parts = folders.map(({ folder, manifest: { dependencies, devDependencies } }) => ({
    name: folder,
    folder,
    imports: Object.keys({ ...dependencies, ...devDependencies }).flatMap((name) => folderOf.get(name) ?? []),
    tries: TRIES[folder] ?? [],
    hasSuite: true
  }))
  return [...parts, ...OTHERS.map((other) => ({ ...other, imports: [], tries: TRIES[other.name] ?? [] }))]
}
