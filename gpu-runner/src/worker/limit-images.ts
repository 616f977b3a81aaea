import type { Worker } from 'bullmq'

interface Limits {
  /** Generations held at once. */
  concurrency: number
  /** Images held at once: with that many no further generation is taken. */
  maxImages: number
}

/** What a worker holds: generations from the moment they are taken until they are let go. */
export interface Holding {
  take(images: number): void
  letGo(images: number): void
}

/** Narrows a worker to what it holds once that is enough images, so that others can take what waits. */
export const limitImages = (worker: Pick<Worker, 'concurrency'>, { concurrency, maxImages }: Limits): Holding => {
  let held = { jobs: 0, images: 0 }
  const change = (jobs: number, images: number) => {
    held = { jobs: held.jobs + jobs, images: held.images + images }
    worker.concurrency = held.images < maxImages ? concurrency : Math.min(Math.max(held.jobs, 1), concurrency)
  }
  return { take: (images) => change(1, images), letGo: (images) => change(-1, -images) }
}
