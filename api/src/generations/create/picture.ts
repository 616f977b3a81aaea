import { CONTENT_TYPES, type GenerateImagePayload } from '@nextscale/openapi'
import type { FastifyReply } from 'fastify'
import type { ImageFormat } from '../../http/accept.ts'
import { ProblemError } from '../../http/problem.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { Found } from '../find.ts'

const notAcceptable = (detail: string, pointer = '/headers/accept') =>
  new ProblemError('not_acceptable', detail, { errors: [{ pointer, detail }] })

/** Throws unless an answer other than the picture can be given. */
export const requireAnswerable = (json: boolean, formats: readonly ImageFormat[], named?: ImageFormat): void => {
  if (json) return
  if (formats.length === 0 || named === undefined) {
    throw notAcceptable('Answers are application/json, image/png, image/webp or image/jpeg: accept one of these.')
  }
  const accepted = formats.map((format) => CONTENT_TYPES[format]).join(', ')
  throw notAcceptable(
    `The picture is to be ${CONTENT_TYPES[named]}, and ${accepted} is accepted. Make output.format and Accept agree, or accept application/json as well.`,
    '/output/format'
  )
}

/** Throws unless the answer can be the one picture asked for. `undefined`: the answer is JSON. */
export const checkPicture = (picture: ImageFormat | undefined, input: GenerateImagePayload['input']): void => {
  if (picture === undefined) return
  if (input.num_images > 1) {
    const detail = `An answer has room for one picture, and ${input.num_images} are asked for. Ask for one, or accept application/json.`
    throw new ProblemError('invalid_request', detail, { errors: [{ pointer: '/num_images', detail }] })
  }
  requireAnswerable(input.output.format === picture, [picture], input.output.format)
}

const withoutPicture = ({ snapshot: { id }, standing }: Found) => {
  const reason = standing.status === 'failed' ? `: ${standing.error.message}` : '.'
  return new ProblemError('generation_not_succeeded', `${id} is ${standing.status} and has no picture${reason}`)
}

/** Answers with the picture of a terminal generation, straight from the store. */
export const sendPicture = async (store: ObjectStore, reply: FastifyReply, found: Found): Promise<FastifyReply> => {
  const { standing } = found
  const [output] = standing.status === 'succeeded' ? standing.outputs : []
  if (output === undefined) throw withoutPicture(found)
  const { body, sizeBytes, etag } = await store.open(output.key)
  reply.headers({ etag, 'content-length': sizeBytes, 'cache-control': 'no-store' })
  return reply.type(output.content_type).send(body)
}
