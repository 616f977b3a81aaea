export interface ScalingTable {
  threshold: number
  periodSeconds: number
  cooldownSeconds: number
  idleSeconds: number
  min: number
  max: number
  steps: { capacity: number; lower: number; upper: number }[]
}

/** Machines that Spot takes back. */
export interface Loss {
  atSecond: number
  runners: number
  /** Until as many are at work again: a start, and what Spot has no capacity for. */
  backAfterSeconds: number
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
  losses?: readonly Loss[]
}

export interface Seen {
  greatest: number
  runners: number
  backlog: number
  /** Growth that comes sooner after a reduction than a runner takes to start. */
  flaps: number
  /** Of machines that are paid for: those that Spot took cost nothing until they are back. */
  runnerHours: number
  /** From arrival to end, of those that ended; the longest, and of all of them on average. */
  longestWaitSeconds: number
  meanWaitSeconds: number
  /** Backlog at the end of each second. */
  backlogs: number[]
}

/** What alarms and policies want at a moment; a smaller number waits for the cooldown, a greater one does not. */
const wantedBy = (table: ScalingTable, backlog: number, idleFor: number): number | undefined => {
  if (backlog >= table.threshold) {
    const above = backlog - table.threshold
    return table.steps.find(({ lower, upper }) => above >= lower && above < upper)?.capacity
  }
  return idleFor >= table.idleSeconds ? table.min : undefined
}

/** Generations in the order in which they came, with what they have waited when they end. */
class Line {
  #came: { second: number; count: number }[] = []
  #ended = 0
  #waited = 0
  longest = 0
  backlog = 0

  add(second: number, count: number): void {
    if (count > 0) this.#came.push({ second, count })
    this.backlog += count
  }

  serve(second: number, count: number): void {
    let left = Math.min(count, this.backlog)
    this.backlog -= left
    for (let first = this.#came[0]; left > 0 && first !== undefined; first = this.#came[0]) {
      const served = Math.min(left, first.count)
      const wait = second - first.second
      this.#ended += served
      this.#waited += served * wait
      this.longest = Math.max(this.longest, wait)
      first.count -= served
      left -= served
      if (first.count <= 0) this.#came.shift()
    }
  }

  get mean(): number {
    return this.#ended === 0 ? 0 : this.#waited / this.#ended
  }
}

interface Machine {
  /** When it is at work from. */
  readyFrom: number
  /** When it is paid for from: one that Spot took is when there is another. */
  paidFrom: number
}

/** The machines that are wanted. */
class Fleet {
  readonly #table: ScalingTable
  readonly #startSeconds: number
  #machines: Machine[]
  #changedAt = -Infinity
  #shrunkAt = -Infinity
  greatest: number
  flaps = 0

  constructor(table: ScalingTable, startSeconds: number) {
    this.#table = table
    this.#startSeconds = startSeconds
    this.#machines = Array.from({ length: table.min }, () => ({ readyFrom: 0, paidFrom: 0 }))
    this.greatest = table.min
  }

  get wanted(): number {
    return this.#machines.length
  }

  paidAt(second: number): number {
    return this.#machines.filter(({ paidFrom }) => paidFrom <= second).length
  }

  atWork(second: number): number {
    return this.#machines.filter(({ readyFrom }) => readyFrom <= second).length
  }

  lose(second: number, { runners, backAfterSeconds }: Loss): void {
    // Those at work first: that is what hurts.
    const first = this.#machines.toSorted((a, b) => a.readyFrom - b.readyFrom).slice(0, runners)
    for (const machine of first) {
      machine.readyFrom = second + backAfterSeconds
      machine.paidFrom = machine.readyFrom - this.#startSeconds
    }
  }

  scale(second: number, backlog: number, idleFor: number): void {
    const wanted = wantedBy(this.#table, backlog, idleFor)
    if (wanted === undefined || wanted === this.wanted) return
    const isGrowth = wanted > this.wanted
    if (!isGrowth && idleFor === 0 && second - this.#changedAt < this.#table.cooldownSeconds) return
    if (isGrowth && second - this.#shrunkAt < this.#startSeconds) this.flaps++
    const fresh = (): Machine => ({ readyFrom: second + this.#startSeconds, paidFrom: second })
    if (isGrowth) this.#machines.push(...Array.from({ length: wanted - this.wanted }, fresh))
    else this.#machines = this.#machines.slice(0, wanted)
    if (!isGrowth) this.#shrunkAt = second
    this.#changedAt = second
    this.greatest = Math.max(this.greatest, wanted)
  }
}

/** Replays arrivals against a table, second by second. CloudWatch's own delays are not in it. */
export const simulate = ({
  table,
  arrivals,
  seconds,
  startSeconds,
  perRunnerPerSecond,
  poison = false,
  losses = []
}: Replay): Seen => {
  const line = new Line()
  const fleet = new Fleet(table, startSeconds)
  const backlogs: number[] = []
  let idleFor = 0
  let runnerHours = 0
  let isPoisoned = false
  for (let second = 0; second < seconds; second++) {
    for (const loss of losses) if (loss.atSecond === second) fleet.lose(second, loss)
    const came = arrivals(second)
    isPoisoned ||= poison && came > 0
    line.add(second, poison ? 0 : came)
    line.serve(second, fleet.atWork(second) * perRunnerPerSecond)
    const backlog = isPoisoned ? Math.max(1, line.backlog) : line.backlog
    idleFor = backlog === 0 ? idleFor + 1 : 0
    runnerHours += fleet.paidAt(second) / 3600
    if (second % table.periodSeconds === 0) fleet.scale(second, Math.ceil(backlog), idleFor)
    backlogs.push(backlog)
  }
  return {
    greatest: fleet.greatest,
    runners: fleet.wanted,
    backlog: backlogs.at(-1) ?? 0,
    flaps: fleet.flaps,
    runnerHours,
    longestWaitSeconds: line.longest,
    meanWaitSeconds: line.mean,
    backlogs
  }
}
