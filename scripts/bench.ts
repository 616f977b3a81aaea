import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const SERVICE = join(ROOT, 'tests', 'src', 'bench', 'main.ts')
const ENGINE = join(ROOT, 'gpu-runner', 'src', 'bench', 'start.ts')
/** Benchmarks without a service around them. They write gigabytes and take minutes, so they run only when named. */
const ENGINE_NAMES = ['engine', 'determinism']

const args = process.argv.slice(2)
const main = ENGINE_NAMES.includes(args[0] ?? '') ? ENGINE : SERVICE
// Ctrl-C reaches the benchmark as well, which cleans up: this one waits for it.
process.on('SIGINT', () => undefined)
const { status } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' })
if (args.length === 0) console.log(`\nThe engine itself, beside PyTorch: npm run bench -- ${ENGINE_NAMES.join(', or -- ')}`)
process.exitCode = status ?? 1
