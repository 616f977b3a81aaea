import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { ROOT } from './support/podman.ts'
import { readQueries } from './support/read-metrics.ts'

interface Prometheus {
  readonly scrape_configs: readonly { readonly job_name: string }[]
}

/** What Prometheus' operator calls the jobs of a ServiceMonitor and of PodMonitors, for releases of two names. */
const OF_OPERATOR = [
  'nextscale',
  'pictures/nextscale-control',
  'pictures/nextscale-runner',
  'blue-nextscale',
  'pictures/blue-nextscale-control'
]
const OF_OTHERS = ['prometheus', 'kubelet', 'nextscale/postgres', 'nextscaler', 'mynextscale']

/** The jobs that the alert on processes that are down looks at; Prometheus matches whole names. */
const readPattern = async (): Promise<RegExp> => {
  const alert = (await readQueries()).find(({ title }) => title === 'NextscaleProcessDown')
  const [, pattern] = /^up\{job=~"([^"]+)"\} == 0$/.exec(alert?.expr ?? '') ?? []
  assert.ok(pattern !== undefined, alert?.expr)
  return new RegExp(`^(?:${pattern})$`)
}

describe('the alert on a process that is down', () => {
  it("looks at each job of prometheus.yaml and of Prometheus' operator", async () => {
    const text = await readFile(join(ROOT, 'infra', 'observability', 'prometheus.yaml'), 'utf8')
    const jobs = (parse(text) as Prometheus).scrape_configs.map(({ job_name: name }) => name)
    assert.ok(jobs.length > 0)
    const pattern = await readPattern()
    for (const job of [...jobs, ...OF_OPERATOR]) assert.match(job, pattern)
  })

  it('looks at no job of others', async () => {
    const pattern = await readPattern()
    for (const job of OF_OTHERS) assert.doesNotMatch(job, pattern)
  })
})
