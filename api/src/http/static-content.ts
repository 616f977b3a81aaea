import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { negotiate } from '@fastify/accept-negotiator'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { matchesEtag } from '../generations/etag.ts'

/** A tenth of the time that the best quality takes, for an eighth more bytes. */
const BROTLI_QUALITY = 6

const ENCODINGS = ['br', 'gzip', 'identity'] as const
type Encoding = (typeof ENCODINGS)[number]

/** What is served as it is, to whoever asks. */
export interface StaticContent {
  type: string
  /** Digest of the bytes, the same in every encoding. */
  version: string
  bodies: Readonly<Record<Encoding, Buffer>>
}

/** Compresses a text once, for all who ask for it. */
export const toStaticContent = async (type: string, text: string): Promise<StaticContent> => {
  const identity = Buffer.from(text)
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length }
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(identity, { params }), promisify(gzip)(identity)])
  const version = createHash('sha256').update(identity).digest('base64url').slice(0, 22)
  return { type, version, bodies: { br, gzip: gzipped, identity } }
}

/** Sends it in the encoding that is taken, or says that it is the one the client has. */
export const sendStaticContent = (
  request: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { type, version, bodies }: StaticContent,
  cacheControl: string
): FastifyReply => {
  const { 'accept-encoding': accepted = '', 'if-none-match': known } = request.headers
  // Weak, since the bytes of one tag differ by their encoding.
  const etag = `W/"${version}"`
  const vary = [reply.getHeader('vary'), 'Accept-Encoding'].filter(Boolean).join(', ')
  reply.headers({ etag, 'cache-control': cacheControl, vary })
  if (matchesEtag(known, etag)) return reply.code(304).send()
  const encoding = negotiate<Encoding>(String(accepted), [...ENCODINGS]) ?? 'identity'
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.type(type).send(bodies[encoding])
}
