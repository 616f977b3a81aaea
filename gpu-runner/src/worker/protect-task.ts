import type { Logger } from 'pino'

/** How long a task stays protected unless it is said again: what a runner that hangs can hold up a scale-in. */
const EXPIRES_MINUTES = 30

export interface ProtectionTimes {
  /** How long after the last generation the task is given free. */
  idleMs: number
  /** How often protection is renewed while it works. */
  renewMs: number
  /** How soon it is tried again after a failure. */
  againMs: number
  timeoutMs: number
}

const TIMES: ProtectionTimes = { idleMs: 60_000, renewMs: 600_000, againMs: 30_000, timeoutMs: 5_000 }

export interface TaskProtection {
  /** A generation is begun; call the result when it has ended. */
  begin: () => () => void
  /** Says nothing more. */
  close: () => void
}

/** Without an agent there is nothing to protect. */
export const NO_PROTECTION: TaskProtection = { begin: () => () => undefined, close: () => undefined }

const put = async (agent: string, isProtected: boolean, signal: AbortSignal): Promise<void> => {
  const body = { ProtectionEnabled: isProtected, ...(isProtected && { ExpiresInMinutes: EXPIRES_MINUTES }) }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${agent}/task-protection/v1/state`, { method: 'PUT', headers, body: JSON.stringify(body), signal })
  const text = await answer.text()
  // A refusal is in the body, whatever the status.
  if (!answer.ok || !text.includes('"protection"')) throw new Error(`the agent answered ${answer.status} ${text.slice(0, 300)}`)
}

const UNPROTECTED = 'ECS does not protect this task: a scale-in may end it amid its work, which goes back into the queue then'

type ToldLog = Pick<Logger, 'warn' | 'info'>

class EcsProtection implements TaskProtection {
  readonly #agent: string
  readonly #log: ToldLog
  readonly #times: ProtectionTimes
  readonly #closing = new AbortController()
  #working = 0
  /** When ECS was last told to protect the task; undefined while it does not. */
  #protectedAt: number | undefined
  #isAsking = false
  #isTroubled = false
  #timer: NodeJS.Timeout | undefined

  constructor(agent: string, log: ToldLog, times: ProtectionTimes) {
    this.#agent = agent
    this.#log = log
    this.#times = times
  }

  begin(): () => void {
    this.#working += 1
    // What failed is tried again in its own time; and what would give the task free is put off.
    if (this.#working === 1 && !this.#isTroubled) this.#askIn(this.#untilRenewal())
    return () => {
      this.#working -= 1
      if (this.#working === 0 && this.#protectedAt !== undefined && !this.#isTroubled) this.#askIn(this.#times.idleMs)
    }
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#timer)
  }

  #untilRenewal(): number {
    if (this.#protectedAt === undefined) return 0
    return Math.max(0, this.#protectedAt + this.#times.renewMs - performance.now())
  }

  #askIn(delayMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#closing.signal.aborted) this.#timer = setTimeout(() => void this.#ask(), delayMs)
  }

  /** One at a time: what has changed meanwhile is asked for after it. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    const wanted = this.#working > 0
    // A generation that has ended before it was asked for.
    if (!wanted && this.#protectedAt === undefined && !this.#isTroubled) return
    this.#isAsking = true
    try {
      await put(this.#agent, wanted, AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#times.timeoutMs)]))
      this.#succeeded(wanted)
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isAsking = false
    }
  }

  #succeeded(wanted: boolean): void {
    if (this.#isTroubled) this.#log.info('The agent of ECS does as it is asked again')
    this.#isTroubled = false
    this.#protectedAt = wanted ? performance.now() : undefined
    if (this.#working > 0) this.#askIn(this.#untilRenewal())
    else if (wanted) this.#askIn(this.#times.idleMs)
  }

  #failed(error: unknown): void {
    if (!this.#isTroubled && !this.#closing.signal.aborted) this.#log.warn({ err: error }, UNPROTECTED)
    this.#isTroubled = true
    this.#askIn(this.#times.againMs)
  }
}

/**
 * Keeps the task that a runner is from being ended by a scale-in of its service, by the agent of ECS: from the first generation until it has been
 * idle for a while. Fails open: what the agent refuses or does not answer is logged once, tried again, and holds no generation up.
 */
export const protectTask = (agent: string, log: ToldLog, times: ProtectionTimes = TIMES): TaskProtection =>
  new EcsProtection(agent, log, times)
