import { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  S3Client
} from '@aws-sdk/client-s3'
import { S3_POLICY } from '@nextscale/platform'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { S3StoreConfig } from '@nextscale/platform/config'
import { ProblemError } from '../http/problem.ts'
import { listS3 } from './list-s3.ts'
import type { ObjectStore, StoredGeneration, StoredObject } from './object-store.ts'

const TIMEOUTS = { connectionTimeout: 2000, requestTimeout: 10_000, throwOnRequestTimeout: true } as const
const REMOVAL_DEADLINE_MS = 30_000

const unavailable = (cause: unknown) =>
  new ProblemError('object_store_unavailable', 'The bucket that holds the pictures cannot be used now. Try again later.', {
    cause
  })

const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw unavailable(error)
  }
}

const openClient = ({ region, forcePathStyle }: S3StoreConfig, endpoint: string | undefined) =>
  new S3Client({
    ...S3_POLICY,
    region,
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    maxAttempts: 2,
    requestHandler: TIMEOUTS
  })

/** Removes one page of objects; tells whether there are more. */
const removePage = async (client: S3Client, bucket: string, prefix: string, abortSignal: AbortSignal): Promise<boolean> => {
  const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }), { abortSignal })
  const objects = (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : { Key }))
  if (objects.length === 0) return false
  const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }), {
    abortSignal
  })
  const [first] = Errors ?? []
  // S3 answers 200 even when it could not delete some of them.
  if (first) throw new Error(`${Errors?.length} objects were not deleted, ${first.Key}: ${first.Code} ${first.Message}`)
  return page.IsTruncated === true
}

const openObject = async (client: S3Client, bucket: string, key: string): Promise<StoredObject> => {
  const { Body, ContentLength, ETag } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  if (!(Body instanceof Readable) || ContentLength === undefined || ETag === undefined) {
    throw new TypeError(`The bucket answered without body, length or ETag for ${key}`)
  }
  return { body: Body, sizeBytes: ContentLength, etag: ETag }
}

const exists = async (client: S3Client, bucket: string, key: string): Promise<boolean> => {
  try {
    await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
    return true
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}

async function* guardedList(
  client: S3Client,
  { bucket, keyPrefix }: S3StoreConfig,
  signal?: AbortSignal
): AsyncGenerator<StoredGeneration> {
  try {
    yield* listS3(client, bucket, keyPrefix, signal)
  } catch (error) {
    throw unavailable(error)
  }
}

/** Pictures in a bucket, behind presigned links to it. */
export const openS3Store = (config: S3StoreConfig, now = Date.now): ObjectStore => {
  const client = openClient(config, config.endpoint)
  // A link is signed for the host that it names, so it cannot be rewritten afterwards.
  const signer = config.publicEndpoint === undefined ? client : openClient(config, config.publicEndpoint)
  return {
    link: (key, { notAfter }) =>
      guarded(async () => {
        const signedAt = Math.floor(now() / 1000) * 1000
        const { expiration } = await signer.config.credentials()
        // A link dies with the credentials that signed it, however long it was signed for.
        const dies = Math.min(
          signedAt + config.linkTtlSeconds * 1000,
          notAfter,
          expiration?.getTime() ?? Number.POSITIVE_INFINITY
        )
        const expiresIn = Math.max(1, Math.floor((dies - signedAt) / 1000))
        const command = new GetObjectCommand({ Bucket: config.bucket, Key: `${config.keyPrefix}${key}` })
        const url = await getSignedUrl(signer, command, { expiresIn, signingDate: new Date(signedAt) })
        return { url, expiresAt: signedAt + expiresIn * 1000 }
      }),
    remove: (prefix, signal) =>
      guarded(async () => {
        const deadline = AbortSignal.timeout(REMOVAL_DEADLINE_MS)
        const ended = signal ? AbortSignal.any([deadline, signal]) : deadline
        while (await removePage(client, config.bucket, `${config.keyPrefix}${prefix}`, ended));
      }),
    list: (signal) => guardedList(client, config, signal),
    mark: (name) =>
      guarded(async () => {
        await client.send(
          new PutObjectCommand({ Bucket: config.bucket, Key: `${config.keyPrefix}${name}`, Body: '', ContentLength: 0 })
        )
      }),
    isMarked: (name) => guarded(() => exists(client, config.bucket, `${config.keyPrefix}${name}`)),
    open: (key) => guarded(() => openObject(client, config.bucket, `${config.keyPrefix}${key}`)),
    close: () => {
      client.destroy()
      if (signer !== client) signer.destroy()
    }
  }
}
