import { type FileHandle, open } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand
} from '@aws-sdk/client-s3'
import type { PutFile } from './bucket.ts'

/** What is held in memory at once. S3 takes 10,000 parts: 640 GB. */
const PART_BYTES = 64 * 2 ** 20

interface Place {
  Bucket: string
  Key: string
}

const readPart = async (handle: FileHandle, from: number, sizeBytes: number): Promise<Buffer> => {
  const part = Buffer.alloc(Math.min(PART_BYTES, sizeBytes - from))
  for (let at = 0; at < part.length;) {
    const { bytesRead } = await handle.read(part, at, part.length - at, from + at)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    at += bytesRead
  }
  return part
}

const putParts = async (
  client: S3Client,
  place: Place,
  { handle, sizeBytes }: { handle: FileHandle; sizeBytes: number },
  { onBytes, signal }: Pick<PutFile, 'onBytes'> & { signal: AbortSignal | undefined }
): Promise<void> => {
  const how = signal && { abortSignal: signal }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place), how)
  try {
    const parts: { ETag: string | undefined; PartNumber: number }[] = []
    for (let from = 0; from < sizeBytes; from += PART_BYTES) {
      const body = await readPart(handle, from, sizeBytes)
      const number = { UploadId, PartNumber: parts.length + 1 }
      const { ETag } = await client.send(
        new UploadPartCommand({ ...place, ...number, Body: body, ContentLength: body.length }),
        how
      )
      parts.push({ ETag, PartNumber: number.PartNumber })
      onBytes?.(body.length)
    }
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: parts } }), how)
  } catch (error) {
    // Parts of what was never completed would be paid for.
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => undefined)
    throw error
  }
}

/** Puts a file into a bucket: as it is where it is small, else part by part. */
export const putFile = async (
  client: S3Client,
  place: Place,
  { path, onBytes }: PutFile,
  signal?: AbortSignal
): Promise<void> => {
  const handle = await open(path)
  try {
    const { size: sizeBytes } = await handle.stat()
    if (sizeBytes > PART_BYTES)
      return await putParts(client, place, { handle, sizeBytes }, { ...(onBytes && { onBytes }), signal })
    const body = await readPart(handle, 0, sizeBytes)
    await client.send(new PutObjectCommand({ ...place, Body: body, ContentLength: sizeBytes }), signal && { abortSignal: signal })
    onBytes?.(sizeBytes)
  } finally {
    await handle.close()
  }
}
