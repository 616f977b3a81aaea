import { type Deployment, deploy } from '../support/deployment.ts'
import { median, printTable, short } from './report.ts'

const BATCHES = [1, 4, 16]
const ROUNDS = 12

const measure = async ({ client }: Deployment, batch: number) => {
  const scales: number[][] = []
  const decode: number[] = []
  const begun = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    const { metrics } = await client.finish((await client.generate({ num_images: batch, class_label: round, seed: round })).id)
    scales.push(metrics.scale_ms ?? [])
    decode.push(metrics.decode_ms ?? 0)
  }
  const seconds = (performance.now() - begun) / 1_000
  const perScale = (scales[0] ?? []).map((_, k) => median(scales.map((row) => row[k] ?? 0)))
  return { imagesPerSecond: (ROUNDS * batch) / seconds, perScale, decode: median(decode) }
}

/** Images/s through the whole service, and where a batch’s time goes. */
export const benchSampling = async (): Promise<void> => {
  const service = await deploy({ env: { MAX_BATCH: '16' } })
  try {
    await measure(service, 1)
    const rows: Record<string, string>[] = []
    let single = 0
    for (const batch of BATCHES) {
      const { imagesPerSecond, perScale, decode } = await measure(service, batch)
      single ||= imagesPerSecond
      const scales = perScale.map((ms, k) => [`scale ${k}`, short(ms)] as const)
      const ratio = short(imagesPerSecond / single, 2)
      rows.push({
        batch: String(batch),
        'images/s': short(imagesPerSecond),
        'vs batch 1': ratio,
        ...Object.fromEntries(scales),
        decode: short(decode)
      })
    }
    printTable('Shipped model, one generation at a time: images/s end to end, and milliseconds per batch (medians)', rows)
  } finally {
    await service.close()
  }
}
