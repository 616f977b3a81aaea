import { type Backlog, type PoolBacklog, totalOf } from './backlog.ts'

const POOL_METRICS = [
  { Name: 'Backlog', Unit: 'Count' },
  { Name: 'OldestWait', Unit: 'Milliseconds' },
  { Name: 'Runners', Unit: 'Count' }
]
const SERVICE_METRICS = [...POOL_METRICS, { Name: 'WebhookBacklog', Unit: 'Count' }]

interface Line {
  config: EmfConfig
  dimensions: readonly string[]
  metrics: typeof POOL_METRICS
  now: number
}

const metadata = ({ config: { namespace, resolution }, dimensions, metrics, now }: Line) => ({
  Timestamp: now,
  CloudWatchMetrics: [
    {
      Namespace: namespace,
      Dimensions: [dimensions],
      Metrics: metrics.map((metric) => ({ ...metric, StorageResolution: resolution }))
    }
  ]
})

const valuesOf = ({ generations, oldestWaitMs, runners }: PoolBacklog) => ({
  Backlog: generations,
  OldestWait: oldestWaitMs,
  Runners: runners
})

/** Where the lines go, and of which deployment they tell. */
export interface EmfConfig {
  /** CloudWatch namespace. */
  readonly namespace: string
  /** Value of the dimension `Stack`; unset means that there is none. */
  readonly stack: string | undefined
  /** CloudWatch keeps one value a second (1) or a minute (60); alarms by less than a minute need the first. */
  readonly resolution: 1 | 60
}

/**
 * Lines of the log that CloudWatch reads metrics from (Embedded Metric Format): one of the whole service, without a dimension of its own,
 * and one of each pool, with the dimension `Pool`; both with `Stack` where that is set. Zeroes are written as well: an alarm on a metric
 * that stops coming cannot scale anything in.
 */
export const emfLines = (config: EmfConfig, backlog: Backlog, now: number): string[] => {
  const { stack } = config
  const dimensions = stack === undefined ? [] : ['Stack']
  const own = stack === undefined ? {} : { Stack: stack }
  return [
    JSON.stringify({
      _aws: metadata({ config, dimensions, metrics: SERVICE_METRICS, now }),
      ...own,
      ...valuesOf(totalOf(backlog)),
      WebhookBacklog: backlog.deliveries
    }),
    ...[...backlog.pools].map(([pool, each]) =>
      JSON.stringify({
        _aws: metadata({ config, dimensions: [...dimensions, 'Pool'], metrics: POOL_METRICS, now }),
        ...own,
        Pool: pool,
        ...valuesOf(each)
      })
    )
  ]
}
