/** Installs a Debian package where root may; ends with what to do where not. */
import { aptInstall } from './testing/apt.ts'
import { printError } from '@nextscale/platform/terminal'

const [name, because] = process.argv.slice(2)
const usage = { ok: false, reason: 'usage: install-package.ts <package> <because>' } as const
const installation = name === undefined || because === undefined ? usage : aptInstall(name, because)
if (!installation.ok) {
  printError(`${because}: install ${name} (${installation.reason}).`)
  process.exitCode = 1
}
