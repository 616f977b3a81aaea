import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { generationOf, GENERATIONS_PREFIX } from '@nextscale/openapi'
import type { StoredGeneration } from './object-store.ts'

interface Listed {
  key: string
  sizeBytes: number
  changedAt: number
}

async function* listObjects(client: S3Client, bucket: string, prefix: string, signal?: AbortSignal): AsyncGenerator<Listed> {
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token })
    const page = await client.send(command, signal && { abortSignal: signal })
    for (const { Key, Size = 0, LastModified } of page.Contents ?? [])
      if (Key !== undefined && LastModified !== undefined) yield { key: Key, sizeBytes: Size, changedAt: LastModified.getTime() }
    token = page.NextContinuationToken
  } while (token !== undefined)
}

const together = (one: StoredGeneration, { sizeBytes, changedAt }: Listed): StoredGeneration => ({
  id: one.id,
  objects: one.objects + 1,
  sizeBytes: one.sizeBytes + sizeBytes,
  changedAt: Math.max(one.changedAt, changedAt)
})

/** What a bucket holds of each generation. Keys come in order, so those of one generation come together. */
export async function* listS3(
  client: S3Client,
  bucket: string,
  keyPrefix: string,
  signal?: AbortSignal
): AsyncGenerator<StoredGeneration> {
  let current: StoredGeneration | undefined
  for await (const object of listObjects(client, bucket, `${keyPrefix}${GENERATIONS_PREFIX}`, signal)) {
    const id = generationOf(object.key.slice(keyPrefix.length))
    if (id === undefined) continue
    if (current !== undefined && current.id !== id) {
      yield current
      current = undefined
    }
    current = together(current ?? { id, objects: 0, sizeBytes: 0, changedAt: 0 }, object)
  }
  if (current) yield current
}
