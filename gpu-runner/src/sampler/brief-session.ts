import type { InferenceSession } from 'onnxruntime-node'

type Feeds = InferenceSession.OnnxValueMapType

/** What the sampler needs of a session that it runs now and then. */
export interface Runnable {
  run(feeds: Feeds): Promise<InferenceSession.OnnxValueMapType>
}

/**
 * A session that is open only while it runs. The weights it maps are memory of the process for as long as it is open;
 * afterwards they stay in the page cache, so that opening it again takes milliseconds.
 */
export const briefSession = (open: () => Promise<InferenceSession>): Runnable => ({
  run: async (feeds) => {
    const session = await open()
    try {
      return await session.run(feeds)
    } finally {
      await session.release()
    }
  }
})
