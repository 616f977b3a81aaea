import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { S3_POLICY } from '@nextscale/platform'
import { JobError } from '../errors.ts'
import type { ObjectStore } from './object-store.ts'

export interface S3Options {
  bucket: string
  region: string
  endpoint: string | undefined
  forcePathStyle: boolean
  /** Prepended to every key; empty or ending with a slash. */
  prefix: string
}

const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 20_000

/** Objects in an S3 bucket. Credentials come from the SDK's default chain. */
export const createS3Store = ({ bucket, region, endpoint, forcePathStyle, prefix }: S3Options): ObjectStore => {
  const client = new S3Client({
    ...S3_POLICY,
    region,
    forcePathStyle,
    ...(endpoint && { endpoint }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true }
  })
  return {
    put: async (key, body, contentType, signal) => {
      // A buffer of known length: streamed uploads are signed in chunks, which some S3 servers store literally.
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: `${prefix}${key}`,
        Body: body,
        ContentLength: body.length,
        ContentType: contentType,
        CacheControl: 'private, max-age=31536000, immutable'
      })
      await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : new JobError('object_store_unavailable', 'The picture could not be stored.', error)
      })
    },
    close: () => {
      client.destroy()
      return Promise.resolve()
    }
  }
}
