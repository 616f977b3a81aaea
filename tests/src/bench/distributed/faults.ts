import { setTimeout } from 'node:timers/promises'
import { pick } from '../../support/random.ts'
import type { Host } from './network.ts'
import type { DistributedStage } from './stage.ts'

/** Twice as long as the locks of runners last, and longer than sentinels wait. */
const OUTAGE_MS = { least: 1_000, most: 8_000 }
const PAUSE_MS = { least: 1_000, most: 4_000 }

interface Fault {
  name: string
  /** What it happens to: one fault at a time. */
  to: string
  down: () => unknown
  up: () => unknown
}

/** Of three that elect one only one may be away. */
const placeOf = (name: string) => (name.startsWith('redis') ? 'redis' : name)
const kindOf = (name: string) => name.replace(/ \d$/, '')

const processesOn = ({ processes }: DistributedStage, host: string) =>
  Object.entries(processes).flatMap(([name, kept]) => (name === host || name.startsWith(`${host} `) ? [kept] : []))

const faultsOfHosts = (stage: DistributedStage): Fault[] =>
  Object.entries(stage.hosts).flatMap(([name, host]) => [
    {
      name: `${kindOf(name)}: host cut off`,
      to: placeOf(name),
      down: () => host.cut(),
      up: () => host.join()
    },
    {
      name: `${kindOf(name)}: host lost`,
      to: placeOf(name),
      down: () => processesOn(stage, name).forEach((kept) => kept.hold()),
      up: () => processesOn(stage, name).forEach((kept) => kept.release())
    }
  ])

/** Two that need each other, and see the rest. */
const faultsBetween = ({ hosts }: DistributedStage): Fault[] => {
  const of = (kind: string): Host[] => Object.values(hosts).filter(({ name }) => kindOf(name) === kind)
  const pairs = [
    ...of('runner').flatMap((runner) => [...of('redis'), ...of('S3')].map((other) => [runner, other] as const)),
    ...of('API').flatMap((api) => of('redis').map((other) => [api, other] as const))
  ]
  return pairs.map(([one, other]) => ({
    name: `${kindOf(one.name)} and ${kindOf(other.name)} parted`,
    to: one.name,
    down: () => one.part(other),
    up: () => one.meet(other)
  }))
}

/** Breaks hosts and the paths between them until the time is over, and mends all. Resolves with how often each was broken. */
export const breakHosts = async (
  stage: DistributedStage,
  random: () => number,
  seconds: number
): Promise<Map<string, number>> => {
  const kinds = Map.groupBy([...faultsOfHosts(stage), ...faultsBetween(stage)], ({ name }) => name)
  const names = [...kinds.keys()]
  const counts = new Map(names.map((name) => [name, 0]))
  const broken = new Map<string, Promise<void>>()
  const run = async ({ name, to, down, up }: Fault, outageMs: number) => {
    down()
    await setTimeout(outageMs)
    up()
    counts.set(name, (counts.get(name) ?? 0) + 1)
    broken.delete(to)
  }
  const between = ({ least, most }: typeof OUTAGE_MS) => least + (most - least) * random()
  const deadline = performance.now() + seconds * 1_000
  while (performance.now() < deadline) {
    const fault = pick(random, kinds.get(pick(random, names)) ?? [])
    const [outageMs, pauseMs] = [between(OUTAGE_MS), between(PAUSE_MS)]
    if (!broken.has(fault.to)) broken.set(fault.to, run(fault, outageMs))
    await setTimeout(pauseMs)
  }
  await Promise.all(broken.values())
  return counts
}
