import type { Part } from './parts.ts'

/** Files that are read by these suites and no other, whatever folder they are in. The first that fits counts. */
const READ_BY: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^README\.md$/, ['scripts', 'tests']],
  [/^docs\/.*\.md$/, ['tests']],
  [/(?:^|\/)README\.md$/, ['scripts']],
  [/\.md$|^docs\/|^LICENSE$|^\.editorconfig$|^lefthook\.yml$|^\.ci\//, []],
  [/^\.ox(?:lint|fmt)rc\.json$|^knip\.json$|^turbo\.json$/, ['scripts']]
]

const IS_TEST = /\.test\.ts$|\/test_\w+\.py$/

export interface Choice {
  suite: string
  because: string
}

/** The part that a file is in, the innermost one; `undefined` for what is beside them all. */
export const partOf = (file: string, parts: readonly Part[]): Part | undefined =>
  parts
    .filter(({ folder }) => file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)
    .at(0)

/** A part and all it needs when its suite runs. */
export const neededBy = (part: Part, parts: readonly Part[]): Set<Part> => {
  const named = (names: readonly string[]) => parts.filter(({ name }) => names.includes(name))
  const found = new Set<Part>()
  const left = [part, ...named(part.tries)]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next)) continue
    found.add(next)
    left.push(...named(next.imports))
  }
  return found
}

/** Why a change of this file can break the suite of this part; `undefined` where it cannot. */
const reasonFor = (file: string, part: Part, parts: readonly Part[]): string | undefined => {
  const [, readers] = READ_BY.find(([pattern]) => pattern.test(file)) ?? []
  if (readers !== undefined) return readers.includes(part.name) ? `reads ${file}` : undefined
  const owner = partOf(file, parts)
  if (owner === undefined) return `everything may need ${file}`
  if (owner === part) return `has ${file}`
  if (IS_TEST.test(file) || !neededBy(part, parts).has(owner)) return undefined
  return `${part.imports.includes(owner.name) ? 'imports' : 'needs'} ${owner.name}, which has ${file}`
}

/** The suites that a change of these files can have broken, and why. */
export const chooseSuites = (files: readonly string[], parts: readonly Part[]): Choice[] =>
  parts
    .filter(({ hasSuite }) => hasSuite)
    .flatMap((part) => {
      const reasons = files.flatMap((file) => reasonFor(file, part, parts) ?? [])
      // The nearest reason: a suite that has a changed file itself needs no other.
      const because = reasons.find((reason) => reason.startsWith('has ')) ?? reasons.at(0)
      return because === undefined ? [] : [{ suite: part.name, because }]
    })
