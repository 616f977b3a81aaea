/** Makes everything that is made from the contract; with names, only these of the clients, and they must be made. */
import { print, printError } from '@nextscale/platform/terminal'
import { CLIENTS, DOCUMENT } from './generate/generators.ts'
import { runGenerators } from './generate/run-generators.ts'
import { ROOT } from './generate/run-tool.ts'

const wanted = process.argv.slice(2)
const names = CLIENTS.map(({ name }) => name)
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  printError(`There is no ${unknown.join(', ')}: npm run generate -- [${names.join('] [')}]`)
  process.exitCode = 2
} else {
  const clients = CLIENTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  const options = { root: ROOT, required: wanted, say: print }
  // Clients of a document that could not be made would be those of another contract.
  const isWell = (await runGenerators([DOCUMENT], options)) && (await runGenerators(clients, options))
  if (!isWell) process.exitCode = 1
}
