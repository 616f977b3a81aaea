import type { Backlog } from './backlog.ts'

/**
 * A line of the log that CloudWatch reads metrics from (Embedded Metric Format). Zeroes are written as well: an alarm on
 * a metric that stops coming cannot scale anything in.
 */
export const emfLine = (namespace: string, backlog: Backlog, now: number): string =>
  JSON.stringify({
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [[]],
          Metrics: [
            { Name: 'Backlog', Unit: 'Count' },
            { Name: 'OldestWait', Unit: 'Milliseconds' },
            { Name: 'Runners', Unit: 'Count' },
            { Name: 'WebhookBacklog', Unit: 'Count' }
          ]
        }
      ]
    },
    Backlog: backlog.generations,
    OldestWait: backlog.oldestWaitMs,
    Runners: backlog.runners,
    WebhookBacklog: backlog.deliveries
  })
