import { benchAccept } from './accept.ts'
import { benchFootprint } from './footprint.ts'
import { benchOverhead } from './overhead.ts'
import { benchSampling } from './sampling.ts'
import { benchStreams } from './streams.ts'

const BENCHMARKS: Record<string, () => Promise<void>> = {
  sampling: benchSampling,
  overhead: benchOverhead,
  accept: benchAccept,
  footprint: benchFootprint,
  streams: benchStreams
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}: there is ${Object.keys(BENCHMARKS).join(', ')}.`)
  process.exit(1)
}
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (wanted.length === 0 || wanted.includes(name)) await run()
}
