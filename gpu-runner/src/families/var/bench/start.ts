/** `npm run bench -- engine` and `-- determinism`: measures the engine, without a service around it. */
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError, parse } from '../../../cli/command.ts'
import { ModelError } from '../../../errors.ts'
import { openModel } from '../model/open-model.ts'
import { PUBLISHED_SIZES } from '../model/published.ts'
import { benchDeterminism } from './determinism.ts'
import { benchEngine } from './engine.ts'
import { prepareModel } from './prepare-model.ts'
import { MEASURE_OPTIONS, readCount, readMeasureOptions } from './read-options.ts'
import { endWithReader, print, printError } from '@nextscale/platform/terminal'

const BENCH_ROOT = fileURLToPath(new URL('../../../../../.nextscale/bench', import.meta.url))
/** Optimised graphs and packed weights, as a runner keeps its own. */
const CACHE = join(BENCH_ROOT, 'cache')
const SHIPPED_MODEL = fileURLToPath(new URL('../../../../models/emoji-32', import.meta.url))
const INTERRUPTED = 130

const engineUsage = `npm run bench -- engine [options]
  --size ${PUBLISHED_SIZES.join('|')}  random weights of a published size, made once; default d16 (1.7 GB)
  --model FOLDER      a model folder instead
  --batch 1,2,4  --precision fp32,int8  --threads N  --rounds N
  --python PATH       a Python with PyTorch to compare with; default python3`

const determinismUsage = `npm run bench -- determinism [--images 500] [--precision fp32,int8] [--model FOLDER]`

const engine = async (args: string[], signal: AbortSignal): Promise<void> => {
  const options = {
    ...MEASURE_OPTIONS,
    size: { type: 'string', default: 'd16' },
    model: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    python: { type: 'string', default: 'python3' }
  } as const
  const { values } = parse(args, options, { usage: engineUsage, positionals: [0, 0] })
  const measured = { ...readMeasureOptions(values), rounds: readCount('rounds', values.rounds), python: values.python }
  const size = PUBLISHED_SIZES.find((each) => each === values.size)
  if (!size) throw new CommandError(`--size must be one of ${PUBLISHED_SIZES.join(', ')}, not "${values.size}".`)
  const folder = join(BENCH_ROOT, size)
  if (values.model === undefined) {
    print(`Random weights of ${size}: ${folder}`)
    await prepareModel(folder, size, signal)
  }
  await benchEngine({ ...measured, folder: resolve(values.model ?? folder), cache: CACHE, signal, say: print })
}

const determinism = async (args: string[], signal: AbortSignal): Promise<void> => {
  const { precision, threads } = MEASURE_OPTIONS
  const options = {
    precision,
    images: { type: 'string', default: '500' },
    model: { type: 'string', default: SHIPPED_MODEL }
  } as const
  const { values } = parse(args, options, { usage: determinismUsage, positionals: [0, 0] })
  const { precisions } = readMeasureOptions({ ...values, batch: '1', threads: threads.default })
  const model = await openModel(resolve(values.model))
  await benchDeterminism({ model, precisions, images: readCount('images', values.images), cache: CACHE, signal, say: print })
}

endWithReader()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
try {
  const [name, ...args] = process.argv.slice(2)
  if (args.includes('--help')) print(name === 'determinism' ? determinismUsage : engineUsage)
  else await (name === 'determinism' ? determinism : engine)(args, stop.signal)
} catch (error) {
  const isForeseen = error instanceof CommandError || error instanceof ModelError
  const reason = isForeseen ? error.message : error instanceof Error ? error.stack : String(error)
  printError(`bench: ${stop.signal.aborted ? 'stopped before it was done.' : reason}`)
  process.exitCode = stop.signal.aborted ? INTERRUPTED : 1
}
