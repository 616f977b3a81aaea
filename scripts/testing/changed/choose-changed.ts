import { print } from '@nextscale/platform/terminal'
import { findChanges } from './changed-files.ts'
import { chooseSuites } from './choose-suites.ts'
import { readParts } from './parts.ts'

const TRAINING = 'gpu-runner/training/'

/** The suites that what has changed since main can have broken; prints which these are, and why. */
export const chooseChanged = async (root: string): Promise<string[]> => {
  const { base, files } = findChanges(root)
  const choices = chooseSuites(files, await readParts(root))
  print(`Changed since ${base.slice(0, 10)}: ${files.length} ${files.length === 1 ? 'file' : 'files'}.`)
  for (const { suite, because } of choices) print(`  ${suite} ${because}`)
  if (choices.length === 0) print('  No suite can have broken: the checks alone run.')
  if (files.some((file) => file.startsWith(TRAINING))) print(`  ${TRAINING} has changed: npm run test:training tests it.`)
  return choices.map(({ suite }) => suite)
}
