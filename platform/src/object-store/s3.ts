import { Readable } from 'node:stream'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { S3StoreConfig } from '../config/index.ts'
import { NoSuchObject, StoreUnavailable } from './errors.ts'
import { listS3 } from './list-s3.ts'
import type { ObjectStat, ObjectStore, StoredGeneration, StoredObject } from './object-store.ts'
import { openS3Client } from './s3-client.ts'

const REMOVAL_DEADLINE_MS = 30_000
/** A key names the same bytes for ever. */
const CACHE_CONTROL = 'private, max-age=31536000, immutable'

const unavailable = (cause: unknown) =>
  new StoreUnavailable('The bucket that holds the pictures cannot be used now. Try again later.', cause)

const notFound = () => new NoSuchObject('There is no such object. It was deleted, or its retention is over.')

const guarded = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (error instanceof NoSuchObject) throw error
    throw unavailable(error)
  }
}

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
  const command = new GetObjectCommand({ Bucket: bucket, Key: key })
  const { Body, ContentLength, ETag } = await client.send(command).catch((error: unknown) => {
    throw error instanceof NoSuchKey ? notFound() : error
  })
  if (!(Body instanceof Readable) || ContentLength === undefined || ETag === undefined) {
    throw new TypeError(`The bucket answered without body, length or ETag for ${key}`)
  }
  return { body: Body, sizeBytes: ContentLength, etag: ETag }
}

const statObject = async (client: S3Client, bucket: string, key: string): Promise<ObjectStat> => {
  const command = new HeadObjectCommand({ Bucket: bucket, Key: key })
  const { ContentLength, ETag, LastModified } = await client.send(command).catch((error: unknown) => {
    throw error instanceof NotFound ? notFound() : error
  })
  if (ContentLength === undefined || ETag === undefined || LastModified === undefined)
    throw new TypeError(`The bucket answered without length, ETag or time for ${key}`)
  return { sizeBytes: ContentLength, etag: ETag, changedAt: LastModified.getTime() }
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
  const client = openS3Client(config)
  // A link is signed for the host that it names, so it cannot be rewritten afterwards.
  const signer = config.publicEndpoint === undefined ? client : openS3Client({ ...config, endpoint: config.publicEndpoint })
  const keyOf = (key: string) => ({ Bucket: config.bucket, Key: `${config.keyPrefix}${key}` })
  return {
    put: (key, { body, contentType }, signal) =>
      guarded(async () => {
        // A buffer of known length: streamed uploads are signed in chunks, which some S3 servers store literally.
        const described = { Body: body, ContentLength: body.length, ContentType: contentType, CacheControl: CACHE_CONTROL }
        await client.send(new PutObjectCommand({ ...keyOf(key), ...described }), signal && { abortSignal: signal })
      }, signal),
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
        const command = new GetObjectCommand(keyOf(key))
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
        await client.send(new PutObjectCommand({ ...keyOf(name), Body: '', ContentLength: 0 }))
      }),
    isMarked: (name) => guarded(() => exists(client, config.bucket, `${config.keyPrefix}${name}`)),
    stat: (key) => guarded(() => statObject(client, config.bucket, `${config.keyPrefix}${key}`)),
    open: (key) => guarded(() => openObject(client, config.bucket, `${config.keyPrefix}${key}`)),
    close: () => {
      client.destroy()
      if (signer !== client) signer.destroy()
    }
  }
}
