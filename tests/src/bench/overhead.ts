import { setTimeout } from 'node:timers/promises'
import { deploy } from '../support/deployment.ts'
import { percentile, printTable, short } from './report.ts'

const ROUNDS = 200
const WARM_UP = 20

/** From the answer that accepts a generation to the answer that shows its picture, less the sampler’s own time. */
export const benchOverhead = async (): Promise<void> => {
  const service = await deploy()
  try {
    const parts: Record<string, number[]> = { overhead: [], 'of it encode': [], 'of it upload': [], sampler: [] }
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      const { id } = await service.client.generate({ class_label: round % 60, seed: round })
      const accepted = performance.now()
      const { metrics, status } = await service.client.read(id, 30)
      const visible = performance.now() - accepted
      if (status !== 'succeeded') throw new Error(`${id} is ${status}`)
      // The next request should not find the runner still tidying up after this one.
      await setTimeout(5)
      if (round < WARM_UP) continue
      const sampler = (metrics.sample_ms ?? 0) + (metrics.decode_ms ?? 0)
      parts['overhead']?.push(visible - sampler)
      parts['of it encode']?.push(metrics.encode_ms ?? 0)
      parts['of it upload']?.push(metrics.upload_ms ?? 0)
      parts['sampler']?.push(sampler)
    }
    const rows = Object.entries(parts).map(([part, sample]) => ({
      part,
      'p50 ms': short(percentile(sample, 0.5)),
      'p99 ms': short(percentile(sample, 0.99))
    }))
    printTable(`Accepted to visible, ${ROUNDS} generations one after another (target: overhead p50 below 15 ms)`, rows)
  } finally {
    await service.close()
  }
}
