import { createHash } from 'node:crypto'
import { type GenerationInput, pictureKey, type StoredOutput, TOKENS_CONTENT_TYPE, tokensKey } from '@nextscale/openapi'
import type { EncodedPicture } from '../image/encode.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'

export interface FinishedImage {
  seed: number
  /** In pixels. */
  width: number
  /** In pixels. */
  height: number
  picture: EncodedPicture
  /** Packed, when they are asked for. */
  tokens: Uint8Array | null
}

type Format = GenerationInput['output']['format']

const toOutput = (
  id: string,
  { seed, width, height, picture, tokens }: FinishedImage,
  index: number,
  format: Format
): StoredOutput => ({
  index,
  seed,
  key: pictureKey(id, index, format),
  content_type: picture.contentType,
  width,
  height,
  bytes: picture.bytes.length,
  sha256: createHash('sha256').update(picture.bytes).digest('hex'),
  tokens_key: tokens && tokensKey(id, index)
})

/**
 * Stores the pictures of a generation, and their tokens beside them.
 * @throws StoreUnavailable, once every other object has arrived or failed.
 */
export const storeOutputs = async (
  id: string,
  images: readonly FinishedImage[],
  format: Format,
  store: Pick<ObjectStore, 'put'>,
  signal: AbortSignal
): Promise<StoredOutput[]> => {
  const puts = images.flatMap(({ picture, tokens }, index) => [
    store.put(pictureKey(id, index, format), { body: picture.bytes, contentType: picture.contentType }, signal),
    ...(tokens ? [store.put(tokensKey(id, index), { body: Buffer.from(tokens), contentType: TOKENS_CONTENT_TYPE }, signal)] : [])
  ])
  // All are waited for also when one fails: an object that arrives later could outlive its deletion.
  for (const put of await Promise.allSettled(puts)) if (put.status === 'rejected') throw put.reason
  return images.map((image, index) => toOutput(id, image, index, format))
}
