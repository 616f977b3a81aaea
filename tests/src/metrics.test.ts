import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'

/** A series with its labels in alphabetical order. */
const ordered = (series: string): string =>
  series.replace(/\{(.*)\}/, (_, labels: string) => `{${(labels.match(/\w+="[^"]*"/g) ?? []).toSorted().join()}}`)

/** Value of a series, whose labels are in alphabetical order; every line must be one that the exposition format knows. */
const scrape = async (url: string): Promise<Map<string, number>> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  assert.equal(answer.status, 200)
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !/^# (HELP|TYPE) \w+ /.test(line))
  return new Map(
    lines.map((line) => {
      const [, series = '', value] = /^(\w+(?:\{(?:\w+="[^"]*",?)*\})?) (\S+)$/.exec(line) ?? assert.fail(line)
      return [ordered(series), Number(value)]
    })
  )
}

test('a runner tells what it made and how long it took', async () => {
  const port = await freePort()
  const service = await deploy({ env: { METRICS_PORT: String(port) } })
  try {
    const { client } = service
    const url = `http://127.0.0.1:${port}/metrics`
    assert.equal((await scrape(url)).get('nextscale_runner_sampler_restarts_total{pool="default"}'), 0)
    await client.finish((await client.generate({ num_images: 3 })).id)
    const of = 'model="emoji-32"'
    const now = await until('the attempt is counted', async () => {
      const found = await scrape(url)
      return found.has(`nextscale_runner_images_total{${of},pool="default"}`) ? found : undefined
    })
    assert.equal(now.get(`nextscale_runner_images_total{${of},pool="default"}`), 3)
    assert.equal(now.get(`nextscale_runner_attempts_total{code="",${of},outcome="succeeded",pool="default"}`), 1)
    assert.equal(now.get(`nextscale_runner_batch_images_sum{${of},pool="default"}`), 3)
    assert.equal(now.get(`nextscale_runner_queue_wait_seconds_count{${of},pool="default"}`), 1)
    for (let scale = 0; scale < 7; scale++)
      assert.equal(now.get(`nextscale_runner_scale_seconds_count{${of},pool="default",scale="${scale}"}`), 1)
    for (const stage of ['batching', 'sampling', 'decoding', 'encoding', 'uploading'])
      assert.equal(now.get(`nextscale_runner_stage_seconds_count{${of},pool="default",stage="${stage}"}`), 1, stage)
  } finally {
    await service.close()
  }
})
