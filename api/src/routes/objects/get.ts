import { CONTENT_TYPES, getObject, TOKENS_CONTENT_TYPE } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { ProblemError } from '../../http/problem.ts'
import type { Services } from '../../services.ts'

const TYPE_BY_EXTENSION: Record<string, string> = {
  png: CONTENT_TYPES.png,
  webp: CONTENT_TYPES.webp,
  jpg: CONTENT_TYPES.jpeg,
  tokens: TOKENS_CONTENT_TYPE
}

const contentType = (file: string) => TYPE_BY_EXTENSION[file.slice(file.indexOf('.') + 1)] ?? TOKENS_CONTENT_TYPE

/** GET /objects/generations/{id}/{file} */
export const getObjectRoute = (app: FastifyInstance, { store }: Services): void =>
  addOperation(app, getObject, async (request, reply) => {
    const { id, file } = request.params
    if (!store.openLinked) {
      throw new ProblemError('object_not_found', 'Pictures are kept in a bucket here. Fetch them by the links in `outputs`.')
    }
    const { body, sizeBytes, etag } = await store.openLinked(`generations/${id}/${file}`, request.query)
    const remainingSeconds = Math.max(0, request.query.expires - Math.ceil(Date.now() / 1000))
    reply.headers({
      etag,
      'cache-control': `private, max-age=${remainingSeconds}, immutable`,
      'content-disposition': `inline; filename="${id}-${file}"`
    })
    if (request.headers['if-none-match'] === etag) {
      body.destroy()
      return reply.code(304).send()
    }
    return reply.type(contentType(file)).header('content-length', sizeBytes).send(body)
  })
