import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { S3Access } from '../config/index.ts'
import { BucketRefused, NoSuchObject, StoreUnavailable } from './errors.ts'
import type { ObjectStat } from './object-store.ts'
import { putFile } from './put-file.ts'
import { openS3Client } from './s3-client.ts'

/** Bytes of an object from `from` up to but not including `to`, of the content that has this ETag. */
export interface ObjectRange {
  from: number
  to: number
  etag: string
}

/** A file that is put. */
export interface PutFile {
  path: string
  onBytes?: (bytes: number) => void
}

/**
 * Objects of any bucket: not pictures, but what operators put there. Every method may fail with StoreUnavailable, which may mend
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
  /** Puts a file, in parts where it is large. Another content of that key is replaced once all is there. */
  putFile(key: string, file: PutFile, signal?: AbortSignal): Promise<void>
  close(): void
}

/** S3 says so of what is not there as well, to who may not list the bucket. */
const DENIED =
  'access is denied, or nothing is there: the credentials need s3:GetObject and s3:ListBucket, to put a folder s3:PutObject'

const UNKNOWN_KEY = 'the access key is unknown: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'

/** Codes of S3 servers, which the operator must see to. */
const REFUSALS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  InvalidBucketName: 'that cannot be the name of a bucket',
  AccessDenied: DENIED,
  InvalidAccessKeyId: UNKNOWN_KEY,
  // So says versitygw.
  XAdminUserNotFound: UNKNOWN_KEY,
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

/** What a status means where an answer has no body to say it, as to a HEAD. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  412: 'PreconditionFailed'
}
const UNNAMED = /^(\d+|Unknown.*|Forbidden|NotFound|S3ServiceException)$/
const GONE = ['NoSuchKey', 'PreconditionFailed']

/** What is of the caller's side, but may be another the next time. */
const MAY_PASS = [408, 425, 429]

const asStoreError = (bucket: string, key: string, error: unknown): unknown => {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' }
  const status = statusOf(error) ?? 0
  const code = UNNAMED.test(name) ? (CODE_OF_STATUS[status] ?? name) : name
  if (GONE.includes(code)) return new NoSuchObject(`There is no s3://${bucket}/${key}, or it was replaced meanwhile.`)
  const known = REFUSALS[code]
  if (known !== undefined) return new BucketRefused(`s3://${bucket}: ${known}.`, error)
  // Every server has codes of its own.
  const isRefusal = status >= 400 && status < 500 && !MAY_PASS.includes(status)
  if (isRefusal) return new BucketRefused(`s3://${bucket}: the server refuses (${code}: ${message.replace(/\.$/, '')}).`, error)
  return new StoreUnavailable(`s3://${bucket} cannot be reached now.`, error)
}

/** Opens a bucket; nothing is asked yet. */
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
    putFile: (key, file, signal) => guarded(key, putFile(client, { Bucket: bucket, Key: key }, file, signal), signal),
    close: () => client.destroy()
  }
}
