import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { print } from '@nextscale/platform/terminal'

const ROOT = resolve(import.meta.dirname, '..')
const SERVICE = join(ROOT, 'tests', 'src', 'bench', 'main.ts')
const ENGINE = join(ROOT, 'gpu-runner', 'src', 'families', 'var', 'bench', 'start.ts')
/** Benchmarks without a service around them. They write gigabytes or take minutes, so they run only when named. */
const ENGINE_NAMES = ['engine', 'determinism']

const args = process.argv.slice(2)
const main = ENGINE_NAMES.includes(args[0] ?? '') ? ENGINE : SERVICE
const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
const [status] = (await once(child, 'exit')) as [number | null]
if (args.length === 0)
  print(
    `\nThe engine alone, beside PyTorch: npm run bench -- ${ENGINE_NAMES.join(', or -- ')}\nThe API alone, with a deep queue: npm run bench -- api\nOne pool while a million wait in another: npm run bench -- pools\nWebhooks whose receiver is away for ten minutes: npm run bench -- webhook-outage\nEverything killed, frozen and away for a quarter of an hour: npm run bench -- kill-loop`
  )
process.exitCode = status ?? 1
