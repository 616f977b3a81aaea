import type { GenerateImageProgress, Progress, Stage, StoredPreview } from '@nextscale/openapi'

/** Follows the scales of a generation’s images and reports how far all of them have come. */
export interface ProgressTracker {
  /** Its model is being loaded. Nothing is said of that once sampling has begun. */
  loading(): void
  start(): void
  scale(image: number, scale: number): void
  /** A stage after sampling has begun. */
  stage(stage: Stage): void
  /** A preview was stored. Every later report has it too, so none is lost by dropping reports. */
  preview(preview: StoredPreview): void
  /** Resolves once nothing is left to report. */
  settled(): Promise<void>
}

const UP_TO_SAMPLING: readonly Stage[] = ['batching', 'loading_model', 'sampling']

/** How far images have come that have finished so many scales each. */
const progressOf = (finished: readonly number[], perScale: readonly number[]): Progress => {
  const tokensUpTo = perScale.map((_, k) => perScale.slice(0, k + 1).reduce((sum, tokens) => sum + tokens, 0))
  return {
    scale: Math.min(...finished),
    scales: perScale.length,
    tokens: finished.reduce((sum, count) => sum + (tokensUpTo[count - 1] ?? 0), 0),
    tokens_total: finished.length * (tokensUpTo.at(-1) ?? 1)
  }
}

/** Passes on what is higher than all before: a batch that failed is sampled again in halves, from the first scale. */
const onRise = (tell: (count: number) => void) => {
  let highest = 0
  return (count: number): void => {
    if (count > highest) tell((highest = count))
  }
}

/**
 * Reports are dropped, not queued, while one is on its way: only the latest matters. `report` must not reject.
 * `perScale` says how many tokens of an image each scale draws. `onScale` hears once of each number of scales that all
 * images have.
 */
export const trackProgress = (
  perScale: readonly number[],
  images: number,
  report: (progress: GenerateImageProgress) => Promise<void>,
  onScale: (scale: number) => void = () => undefined
): ProgressTracker => {
  const finished = new Array<number>(images).fill(0)
  let stage: Stage = 'batching'
  const previews: StoredPreview[] = []
  let reporting: Promise<void> | undefined
  let isStale = false

  const tellOnce = onRise(onScale)

  const reportAll = async (): Promise<void> => {
    while (isStale) {
      isStale = false
      await report({ stage, progress: progressOf(finished, perScale), ...(previews.length > 0 && { previews: [...previews] }) })
    }
    reporting = undefined
  }

  const publish = () => {
    isStale = true
    reporting ??= reportAll()
    tellOnce(Math.min(...finished))
  }

  /** Of the stages up to sampling, which are never gone back to. */
  const enter = (next: Stage) => {
    if (UP_TO_SAMPLING.indexOf(next) <= UP_TO_SAMPLING.indexOf(stage) || !UP_TO_SAMPLING.includes(stage)) return
    stage = next
    publish()
  }

  return {
    loading: () => enter('loading_model'),
    start: () => enter('sampling'),
    scale: (image, scale) => {
      // A draft's batch may go on for its mates.
      if (scale >= perScale.length) return
      finished[image] = scale + 1
      publish()
    },
    stage: (next) => {
      stage = next
      // Where all scales are one run, nothing is heard of each.
      finished.fill(perScale.length)
      publish()
    },
    preview: (preview) => {
      previews.push(preview)
      publish()
    },
    settled: async () => reporting
  }
}
