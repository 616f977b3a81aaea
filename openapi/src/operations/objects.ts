import Type from 'typebox'
import { OBJECT_FILE_PATTERN, TOKENS_CONTENT_TYPE } from '../object-keys.ts'
import { headersNamed } from '../headers.ts'
import { defineOperation } from '../operation.ts'
import { GenerationId } from '../schemas/primitives.ts'

export const getObject = defineOperation({
  operationId: 'getObject',
  method: 'GET',
  path: '/objects/generations/{id}/{file}',
  tag: 'objects',
  scope: null,
  summary: 'Fetch a stored picture, preview or tokens by a signed link',
  description:
    'Used when pictures are kept on disk; with S3, links lead to the bucket. Links come from a generation’s `outputs`, where `tokens_url` says how tokens are unpacked.',
  params: Type.Object({ id: GenerationId, file: Type.String({ pattern: OBJECT_FILE_PATTERN }) }, { additionalProperties: false }),
  query: Type.Object(
    {
      expires: Type.Integer({ minimum: 0, description: 'Unix time in seconds.' }),
      signature: Type.String({ minLength: 1, maxLength: 128 })
    },
    { additionalProperties: false }
  ),
  headers: Type.Object({
    'if-none-match': Type.Optional(Type.String({ maxLength: 1024, description: '`ETag` of an earlier answer.' }))
  }),
  responses: {
    200: {
      description: 'The picture or the tokens.',
      schema: Type.String({ format: 'binary' }),
      contentTypes: ['image/*', TOKENS_CONTENT_TYPE],
      headers: headersNamed('ETag')
    },
    304: { description: 'It is the one with the `ETag` in `If-None-Match`.', headers: headersNamed('ETag') }
  },
  problems: ['link_invalid', 'object_not_found', 'object_store_unavailable']
})
