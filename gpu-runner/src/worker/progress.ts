import type { GenerateImageProgress, Progress, Stage, StoredPreview } from '@nextscale/openapi'

/** Follows the scales of a generation’s images and reports how far all of them have come. */
export interface ProgressTracker {
  start(): void
  scale(image: number, scale: number): void
  stage(stage: Stage): void
  /** A preview was stored. Every later report has it too, so none is lost by dropping reports. */
  preview(preview: StoredPreview): void
  /** Resolves once nothing is left to report. */
  settled(): Promise<void>
}

/**
 * Reports are dropped, not queued, while one is on its way: only the latest matters. `report` must not reject.
 * `scales` are the sides of the token maps that are drawn.
 */
export const trackProgress = (
  scales: readonly number[],
  images: number,
  report: (progress: GenerateImageProgress) => Promise<void>
): ProgressTracker => {
  const finished = new Array<number>(images).fill(0)
  const tokensUpTo = scales.map((_, k) => scales.slice(0, k + 1).reduce((sum, n) => sum + n * n, 0))
  let stage: Stage = 'batching'
  const previews: StoredPreview[] = []
  let reporting: Promise<void> | undefined
  let isStale = false

  const snapshot = (): Progress => ({
    scale: Math.min(...finished),
    scales: scales.length,
    tokens: finished.reduce((sum, count) => sum + (tokensUpTo[count - 1] ?? 0), 0),
    tokens_total: images * (tokensUpTo.at(-1) ?? 1)
  })

  const reportAll = async (): Promise<void> => {
    while (isStale) {
      isStale = false
      await report({ stage, progress: snapshot(), ...(previews.length > 0 && { previews: [...previews] }) })
    }
    reporting = undefined
  }

  const publish = () => {
    isStale = true
    reporting ??= reportAll()
  }

  return {
    start: () => {
      if (stage !== 'batching') return
      stage = 'sampling'
      publish()
    },
    scale: (image, scale) => {
      // A draft's batch may go on for its mates.
      if (scale >= scales.length) return
      finished[image] = scale + 1
      publish()
    },
    stage: (next) => {
      stage = next
      publish()
    },
    preview: (preview) => {
      previews.push(preview)
      publish()
    },
    settled: async () => reporting
  }
}
