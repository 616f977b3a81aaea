import { type Config, readConfig } from '../config.ts'
import { readInteger, readPattern, readString } from '../config-readers.ts'
import { SAFE_ORPHAN_SECONDS } from '../generations/find-orphans.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ControlConfig extends Config {
  /** Where GET /metrics and /healthz are served; unset means nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
  /** How long a runner that is lost keeps its generations: what the runners have. */
  readonly lockDurationMs: number
  /** How often jobs of lost runners are looked for. */
  readonly stalledIntervalMs: number
  /** How often the backlog is measured. */
  readonly backlogIntervalMs: number
  /** How often what expired is looked for. */
  readonly sweepIntervalMs: number
  /** How long objects of generations that Redis does not know of are left alone. */
  readonly orphanAgeSeconds: number
  /** How often such objects are looked for, by all control processes together. */
  readonly orphanIntervalMs: number
  /** CloudWatch namespace of the backlog's metric lines; unset means none are written. */
  readonly emfNamespace: string | undefined
}

/** Reads the environment of a control process once. Throws a ConfigError whose message is the sentence to show. */
export const readControlConfig = (env: Environment = process.env): ControlConfig => {
  const port = readString(env, 'METRICS_PORT')
  return Object.freeze({
    ...readConfig(env),
    metrics:
      port === undefined
        ? undefined
        : { host: readString(env, 'METRICS_HOST') ?? '127.0.0.1', port: readInteger(env, 'METRICS_PORT', 0, 1, 65_535) },
    lockDurationMs: readInteger(env, 'LOCK_DURATION_MS', 30_000, 1_000, 600_000),
    stalledIntervalMs: readInteger(env, 'STALLED_INTERVAL_MS', 15_000, 500, 600_000),
    backlogIntervalMs: readInteger(env, 'BACKLOG_INTERVAL_MS', 10_000, 100, 600_000),
    sweepIntervalMs: readInteger(env, 'SWEEP_INTERVAL_MS', 60_000, 100, 3_600_000),
    orphanAgeSeconds: readInteger(env, 'ORPHAN_AGE_SECONDS', SAFE_ORPHAN_SECONDS, 60, 10 * SAFE_ORPHAN_SECONDS),
    orphanIntervalMs: readInteger(env, 'ORPHAN_INTERVAL_MS', 86_400_000, 1000, 30 * 86_400_000),
    emfNamespace: readPattern(env, 'EMF_NAMESPACE', /^[A-Za-z0-9._/#:-]{1,255}$/, 'a CloudWatch namespace such as "Nextscale"')
  })
}
