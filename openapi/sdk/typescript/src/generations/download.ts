import { NextscaleError } from '../errors.ts'
import type { Generation, GenerationOutput, Preview } from '../generated/contract.ts'
import { readJson } from '../transport/read-json.ts'
import type { Transport } from '../transport/transport.ts'
import type { CallOptions } from './create.ts'
import { generationPath } from './path.ts'

/** Keys of stored objects hold the id of their generation, on disk and in buckets alike. */
const ID = /gen_[a-z2-7]{26}/
/** What stores answer to a link whose time is up. */
const REFUSED = [400, 401, 403]

const readBytes = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer())

const freshUrl = async (transport: Transport, stale: GenerationOutput | Preview, { signal }: CallOptions): Promise<string> => {
  const id = ID.exec(new URL(stale.url).pathname)?.[0] ?? ''
  const { outputs, previews } = await transport.request({ path: generationPath(id), signal }, readJson<Generation>)
  const fresh =
    'scale' in stale
      ? previews.find(({ index, scale }) => index === stale.index && scale === stale.scale)
      : outputs.find(({ index }) => index === stale.index)
  if (fresh) return fresh.url
  throw new NextscaleError({ code: 'object_not_found', detail: `Generation ${id} no longer has this picture.`, status: null })
}

/** Bytes of a picture or a preview. A link that has run out is replaced by a fresh one, once. */
export const download = async (
  transport: Transport,
  picture: GenerationOutput | Preview,
  { signal }: CallOptions = {}
): Promise<Uint8Array> => {
  const given: { url?: unknown } | undefined = picture
  if (typeof given?.url !== 'string')
    throw new TypeError('download takes an output or a preview: download(generation.outputs[0]).')
  try {
    return await transport.request({ path: picture.url, signal }, readBytes)
  } catch (error) {
    const isStale = error instanceof NextscaleError && REFUSED.includes(error.status ?? 0) && ID.test(picture.url)
    if (!isStale) throw error
  }
  return transport.request({ path: await freshUrl(transport, picture, { signal }), signal }, readBytes)
}
