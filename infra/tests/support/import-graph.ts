import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const PACKAGE = /^@nextscale\/([a-z-]+)(\/.+)?$/
/** Imports, re-exports and imports on demand; of types alone there is nothing to run. */
const IMPORT = /(?:^|[\s;])(?:import|export)\s+(?!type\s)(?:[\w{}\s,*$]+?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/g

const inPackage = (name: string, part = ''): string | undefined => {
  const folder = join(ROOT, name)
  if (!existsSync(join(folder, 'package.json'))) return undefined
  const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports?: Record<string, string> }
  const file = exports[`.${part}`]
  return file?.endsWith('.ts') ? join(folder, file) : undefined
}

const fileOf = (specifier: string, from: string): string | undefined => {
  if (specifier.startsWith('.')) return resolve(dirname(from), specifier)
  const [, name, part] = PACKAGE.exec(specifier) ?? []
  return name === undefined ? undefined : inPackage(name, part)
}

export interface ImportGraph {
  /** Texts of the project's own files, by their paths. */
  files: Map<string, string>
  /** Packages of others. */
  packages: Set<string>
}

/** All that a start file may load. */
export const importGraph = (start: string): ImportGraph => {
  const files = new Map<string, string>()
  const packages = new Set<string>()
  const open = [join(ROOT, start)]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file) || !existsSync(file)) continue
    const text = readFileSync(file, 'utf8')
    files.set(file, text)
    for (const [, named, demanded] of text.matchAll(IMPORT)) {
      const specifier = named ?? demanded ?? ''
      const found = fileOf(specifier, file)
      if (found === undefined) packages.add(specifier)
      else open.push(found)
    }
  }
  return { files, packages }
}
