export interface ScalingTable {
  threshold: number
  periodSeconds: number
  cooldownSeconds: number
  idleSeconds: number
  min: number
  max: number
  steps: { capacity: number; lower: number; upper: number }[]
}

interface Replay {
  table: ScalingTable
  arrivals: (second: number) => number
  seconds: number
  /** From the wish for a runner to its first generation. */
  startSeconds: number
  perRunnerPerSecond: number
  /** Whether one generation never ends. */
  poison?: boolean
  /** When all runners are lost at once. */
  lossAt?: number
}

export interface Seen {
  greatest: number
  runners: number
  backlog: number
  /** Growth that comes sooner after a reduction than a runner takes to start. */
  flaps: number
  runnerHours: number
  /** How long there was work at a stretch: no generation waited for longer. */
  longestBusySeconds: number
}

/** What alarms and policies want at a moment; a smaller number waits for the cooldown, a greater one does not. */
const wantedBy = (table: ScalingTable, backlog: number, idleFor: number): number | undefined => {
  if (backlog >= table.threshold) {
    const above = backlog - table.threshold
    return table.steps.find(({ lower, upper }) => above >= lower && above < upper)?.capacity
  }
  return idleFor >= table.idleSeconds ? table.min : undefined
}

/** Replays arrivals against a table, second by second. CloudWatch's own delays are not in it. */
export const simulate = ({
  table,
  arrivals,
  seconds,
  startSeconds,
  perRunnerPerSecond,
  poison = false,
  lossAt
}: Replay): Seen => {
  const seen: Seen = { greatest: 0, runners: table.min, backlog: 0, flaps: 0, runnerHours: 0, longestBusySeconds: 0 }
  let ready: number[] = []
  let waitingSince = 0
  let idleFor = 0
  let changedAt = -Infinity
  let shrunkAt = -Infinity
  const scale = (second: number) => {
    const wanted = wantedBy(table, Math.ceil(seen.backlog), idleFor)
    if (wanted === undefined || wanted === seen.runners) return
    const isGrowth = wanted > seen.runners
    if (!isGrowth && idleFor === 0 && second - changedAt < table.cooldownSeconds) return
    if (isGrowth && second - shrunkAt < startSeconds) seen.flaps++
    if (isGrowth) ready.push(...Array.from({ length: wanted - seen.runners }, () => second + startSeconds))
    else ready = ready.slice(0, wanted)
    if (!isGrowth) shrunkAt = second
    changedAt = second
    seen.runners = wanted
    seen.greatest = Math.max(seen.greatest, wanted)
  }
  for (let second = 0; second < seconds; second++) {
    if (second === lossAt) ready = ready.map(() => second + startSeconds)
    if (seen.backlog === 0) waitingSince = second
    seen.backlog += arrivals(second)
    const atWork = ready.filter((from) => from <= second).length
    seen.backlog = Math.max(poison && seen.backlog > 0 ? 1 : 0, seen.backlog - atWork * perRunnerPerSecond)
    idleFor = seen.backlog === 0 ? idleFor + 1 : 0
    seen.longestBusySeconds = Math.max(seen.longestBusySeconds, second - waitingSince)
    seen.runnerHours += seen.runners / 3600
    if (second % table.periodSeconds === 0) scale(second)
  }
  return seen
}
