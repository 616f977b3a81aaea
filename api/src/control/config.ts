import { type Config, readConfig } from '../config.ts'
import {
  type Environment,
  type MetricsAddress,
  readInteger,
  readMetricsAddress,
  readPattern,
  readRecovery,
  type RecoveryConfig
} from '@nextscale/platform/config'
import type { EmfConfig } from './emf.ts'
import { SAFE_ORPHAN_SECONDS } from '../generations/find-orphans.ts'

export interface ControlConfig extends Config, RecoveryConfig {
  /** Where GET /metrics and /healthz are served; unset means nowhere. */
  readonly metrics: MetricsAddress | undefined
  /** How often the backlog is measured. */
  readonly backlogIntervalMs: number
  /** How often what expired is looked for. */
  readonly sweepIntervalMs: number
  /** How long objects of generations that Redis does not know of are left alone. */
  readonly orphanAgeSeconds: number
  /** How often such objects are looked for, by all control processes together. */
  readonly orphanIntervalMs: number
  /** Unset means that no metric lines of the backlog are written for CloudWatch. */
  readonly emf: EmfConfig | undefined
}

const MINUTE_MS = 60_000

const readEmf = (env: Environment, intervalMs: number): EmfConfig | undefined => {
  const namespace = readPattern(env, 'EMF_NAMESPACE', /^[A-Za-z0-9._/#:-]{1,255}$/, 'a CloudWatch namespace such as "Nextscale"')
  const stack = readPattern(
    env,
    'EMF_STACK',
    /^[A-Za-z0-9._/#-]{1,255}$/,
    '1 to 255 letters, digits, ".", "_", "/", "#" and "-", such as "production"'
  )
  return namespace === undefined ? undefined : { namespace, stack, resolution: intervalMs < MINUTE_MS ? 1 : 60 }
}

/** Reads the environment of a control process once. Throws a ConfigError whose message is the sentence to show. */
export const readControlConfig = (env: Environment = process.env): ControlConfig => {
  const backlogIntervalMs = readInteger(env, 'BACKLOG_INTERVAL_MS', 10_000, 100, 600_000)
  return Object.freeze({
    ...readConfig(env),
    ...readRecovery(env),
    metrics: readMetricsAddress(env),
    backlogIntervalMs,
    sweepIntervalMs: readInteger(env, 'SWEEP_INTERVAL_MS', 60_000, 100, 3_600_000),
    orphanAgeSeconds: readInteger(env, 'ORPHAN_AGE_SECONDS', SAFE_ORPHAN_SECONDS, 60, 10 * SAFE_ORPHAN_SECONDS),
    orphanIntervalMs: readInteger(env, 'ORPHAN_INTERVAL_MS', 86_400_000, 1000, 30 * 86_400_000),
    emf: readEmf(env, backlogIntervalMs)
  })
}
