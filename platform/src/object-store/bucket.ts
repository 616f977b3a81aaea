import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { S3Access } from '../config/index.ts'
import { BucketRefused, NoSuchObject, StoreUnavailable } from './errors.ts'
import type { ObjectStat } from './object-store.ts'
import { openS3Client } from './s3-client.ts'

/** Bytes of an object from `from` up to but not including `to`, of the content that has this ETag. */
export interface ObjectRange {
  from: number
  to: number
  etag: string
}

/**
 * Reads objects of any bucket: not pictures, but what operators put there. Every method may fail with StoreUnavailable, which may mend
 * itself, and with BucketRefused, which may not.
 */
export interface Bucket {
  /** @throws NoSuchObject */
  stat(key: string, signal?: AbortSignal): Promise<ObjectStat>
  /**
   * A small object as a whole.
   * @throws NoSuchObject, and RangeError when it is larger.
   */
  read(key: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer>
  /**
   * Opens a part of an object.
   * @throws NoSuchObject when it is gone, or its content is another by now.
   */
  open(key: string, range: ObjectRange, signal?: AbortSignal): Promise<Readable>
  close(): void
}

/** S3 says so of what is not there as well, to who may not list the bucket. */
const DENIED = 'access is denied, or nothing is there: the credentials need s3:GetObject and s3:ListBucket'

/** Codes of S3 servers, which the operator must see to. */
const REFUSALS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  InvalidBucketName: 'that cannot be the name of a bucket',
  AccessDenied: DENIED,
  Forbidden: DENIED,
  InvalidAccessKeyId: 'the access key is unknown: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  SignatureDoesNotMatch: 'the secret key is wrong: set AWS_SECRET_ACCESS_KEY',
  ExpiredToken: 'the credentials have expired',
  InvalidToken: 'the session token is wrong: set AWS_SESSION_TOKEN',
  CredentialsProviderError:
    'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role',
  PermanentRedirect: 'the bucket is in another region: set S3_REGION',
  AuthorizationHeaderMalformed: 'the bucket is in another region: set S3_REGION'
}

const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode
}

/** Where an answer has no body, as to a HEAD, its status is all there is. */
const codeOf = (error: unknown): string => {
  const name = error instanceof Error ? error.name : ''
  if (name in REFUSALS) return name
  const status = statusOf(error)
  if (status === 403) return 'Forbidden'
  return status === 301 ? 'PermanentRedirect' : name
}

const asStoreError = (bucket: string, key: string, error: unknown): unknown => {
  const code = codeOf(error)
  const refusal = REFUSALS[code]
  if (refusal !== undefined) return new BucketRefused(`s3://${bucket}: ${refusal}.`, error)
  if (['NoSuchKey', 'NotFound', 'PreconditionFailed'].includes(code) || statusOf(error) === 412)
    return new NoSuchObject(`There is no s3://${bucket}/${key}, or it was replaced meanwhile.`)
  return new StoreUnavailable(`s3://${bucket} cannot be reached now.`, error)
}

/** Opens a bucket to be read; nothing is asked yet. */
export const openBucket = (access: S3Access, bucket: string): Bucket => {
  const client = openS3Client(access)
  const guarded = <T>(key: string, work: Promise<T>, signal?: AbortSignal): Promise<T> =>
    work.catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : asStoreError(bucket, key, error)
    })
  return {
    stat: (key, signal) =>
      guarded(
        key,
        client
          .send(new HeadObjectCommand({ Bucket: bucket, Key: key }), signal && { abortSignal: signal })
          .then(({ ContentLength = 0, ETag = '', LastModified }) => ({
            sizeBytes: ContentLength,
            etag: ETag,
            changedAt: LastModified?.getTime() ?? 0
          })),
        signal
      ),
    read: (key, maxBytes, signal) => {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key })
      return guarded(key, client.send(command, signal && { abortSignal: signal }), signal).then(
        async ({ Body, ContentLength = 0 }) => {
          if (!(Body instanceof Readable)) throw new TypeError(`The bucket answered without a body for ${key}`)
          if (ContentLength <= maxBytes) return guarded(key, buffer(Body), signal)
          Body.destroy()
          throw new RangeError(`s3://${bucket}/${key} has ${ContentLength} bytes, and at most ${maxBytes} are read.`)
        }
      )
    },
    open: (key, { from, to, etag }, signal) => {
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${from}-${to - 1}`, IfMatch: etag })
      const opened = client.send(command, signal && { abortSignal: signal }).then(({ Body, ContentLength }) => {
        if (Body instanceof Readable && ContentLength === to - from) return Body
        throw new TypeError(`asked for ${to - from} bytes of ${key}, and got ${ContentLength}`)
      })
      return guarded(key, opened, signal)
    },
    close: () => client.destroy()
  }
}
