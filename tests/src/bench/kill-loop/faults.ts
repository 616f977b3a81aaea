import { setTimeout } from 'node:timers/promises'
import { pick } from '../../support/random.ts'
import type { Stage } from './stage.ts'

/** How long what is frozen or away is so at most: twice as long as the locks of runners last. */
const OUTAGE_MS = 4_000
/** Between one fault and the next. */
const PAUSE_MS = { least: 300, most: 2_500 }

type Random = () => number

interface Fault {
  name: string
  /** What it happens to: one fault at a time. */
  to: string
  /** Resolves once all is as it was. `false` when there was nothing to break. */
  act(outageMs: number): Promise<unknown>
}

interface Outage {
  name: string
  to: string
  down: () => unknown
  up: () => unknown
}

const outage = ({ name, to, down, up }: Outage): Fault => ({
  name,
  to,
  act: async (outageMs) => {
    await down()
    await setTimeout(outageMs)
    await up()
  }
})

const faultsOfProcesses = ({ processes }: Stage): Fault[] =>
  Object.entries(processes).flatMap(([to, process]) => {
    const kind = to.replace(/ \d$/, '')
    const kill: Fault = { name: `${kind} killed`, to, act: async () => process.signal('SIGKILL') }
    const stop: Fault = { name: `${kind} told to stop`, to, act: async () => process.signal('SIGTERM') }
    const freeze = outage({
      name: `${kind} frozen`,
      to,
      down: () => process.signal('SIGSTOP'),
      up: () => process.signal('SIGCONT')
    })
    const sampler: Fault = { name: 'sampler killed', to, act: async () => (await process.killChildren()) > 0 }
    return [kill, kill, stop, freeze, ...(kind === 'runner' ? [kill, sampler, sampler] : [])]
  })

const faultsOfStores = ({ redis, s3, receiver }: Stage): Fault[] => [
  outage({ name: 'Redis killed', to: 'Redis', down: () => redis.stop('SIGKILL'), up: () => redis.start() }),
  outage({ name: 'Redis frozen', to: 'Redis', down: () => redis.freeze(), up: () => redis.thaw() }),
  outage({ name: 'object store killed', to: 'S3', down: () => s3.stop(), up: () => s3.start() }),
  outage({ name: 'object store frozen', to: 'S3', down: () => s3.freeze(), up: () => s3.thaw() }),
  outage({ name: 'receiver away', to: 'receiver', down: () => receiver.close(), up: () => receiver.open() })
]

/** Breaks one thing after another until the time is over, and mends all. Resolves with how often each was broken. */
export const breakThings = async (stage: Stage, random: Random, seconds: number): Promise<Map<string, number>> => {
  const faults = [...faultsOfProcesses(stage), ...faultsOfStores(stage)]
  const counts = new Map(faults.map(({ name }) => [name, 0]))
  const broken = new Map<string, Promise<void>>()
  const run = async (fault: Fault, outageMs: number) => {
    if ((await fault.act(outageMs)) !== false) counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
    broken.delete(fault.to)
  }
  const deadline = performance.now() + seconds * 1_000
  while (performance.now() < deadline) {
    const [fault, outageMs, pauseMs] = [
      pick(random, faults),
      OUTAGE_MS * random(),
      PAUSE_MS.least + (PAUSE_MS.most - PAUSE_MS.least) * random()
    ]
    if (!broken.has(fault.to)) broken.set(fault.to, run(fault, outageMs))
    await setTimeout(pauseMs)
  }
  await Promise.all(broken.values())
  return counts
}
