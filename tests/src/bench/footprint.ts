import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { deploy } from '../support/deployment.ts'
import { startLoad } from '../support/drill.ts'
import { printTable, short } from './report.ts'

const IDLE_MS = 5_000
const LOAD_MS = 15_000

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

const kilobytes = async (file: string, field: string): Promise<number> => {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(await readFile(file, 'utf8'))
  return Number(line?.[1] ?? Number.NaN)
}

const memory = async (name: string, pid: number) => ({
  name,
  rss: (await kilobytes(`/proc/${pid}/status`, 'VmRSS')) / 1_024,
  pss: (await kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss')) / 1_024
})

/** Memory of an idle service, and how long the worker’s event loop is ever held up while the sampler is busy. Linux only. */
export const benchFootprint = async (): Promise<void> => {
  const service = await deploy()
  try {
    await setTimeout(IDLE_MS)
    const runner = service.runner()
    const [sampler = 0] = await childrenOf(runner.pid)
    const parts = [
      await memory('api', service.api().pid),
      await memory('runner', runner.pid),
      await memory('sampler process', sampler)
    ]
    const total = {
      name: 'together',
      rss: parts.reduce((sum, { rss }) => sum + rss, 0),
      pss: parts.reduce((sum, { pss }) => sum + pss, 0)
    }
    const rows = [...parts, total].map(({ name, rss, pss }) => ({
      process: name,
      'RSS MiB': short(rss, 0),
      'PSS MiB': short(pss, 0)
    }))
    printTable('Idle memory; PSS counts a page that n processes share as 1/n in each (target: together below 400 MB)', rows)

    const load = startLoad(service, { intervalMs: 40, body: { num_images: 2 } })
    await setTimeout(LOAD_MS)
    const ids = await load.stop()
    for (const id of ids) await service.client.finish(id)
    await runner.end()
    const line =
      runner
        .output()
        .split('\n')
        .find((text) => text.includes('loop_lag_p99_ms')) ?? '{}'
    const lag = JSON.parse(line) as { loop_lag_p99_ms: number; loop_lag_max_ms: number }
    printTable(`The worker’s event loop while sampling ${ids.length * 2} pictures (target: p99 below 30 ms)`, [
      { 'lag p99 ms': short(lag.loop_lag_p99_ms), 'lag max ms': short(lag.loop_lag_max_ms) }
    ])
  } finally {
    await service.close()
  }
}
