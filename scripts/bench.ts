import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const main = join(resolve(import.meta.dirname, '..'), 'tests', 'src', 'bench', 'main.ts')
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
