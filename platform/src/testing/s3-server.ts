import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { S3Access } from '../config/index.ts'

/** What goes wrong with a request: an error of S3's, or an answer that breaks off or never comes. */
export type S3Fault = { status: number; code: string } | { breakAfter: number } | 'silence'

export interface S3Request {
  method: string
  bucket: string
  key: string
  range: string | undefined
}

/** An S3 server of a test's own, on loopback: objects, ranges, conditions, lists and deletions, in the protocol of S3. */
export interface S3TestServer {
  readonly access: S3Access
  /** Objects by bucket and key, as `bucket/key`. */
  readonly objects: Map<string, Buffer>
  readonly buckets: Set<string>
  readonly requests: S3Request[]
  /** Sizes that a look at an object claims, whatever it has. */
  readonly claims: Map<string, number>
  /** Asked before each request is answered. */
  fault: (request: S3Request) => S3Fault | undefined
  close(): Promise<void>
}

const etagOf = (content: Buffer) => `"${createHash('md5').update(content).digest('hex')}"`

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  { content, claimed }: { content: Buffer; claimed: number | undefined },
  fault: S3Fault | undefined
): void => {
  const etag = etagOf(content)
  const condition = request.headers['if-match']
  if (condition !== undefined && condition !== etag) return refuse(response, 412, 'PreconditionFailed')
  const [, from = '0', to = String(content.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  const part = content.subarray(Number(from), Number(to) + 1)
  response.writeHead(request.headers.range === undefined ? 200 : 206, {
    etag,
    'content-length': request.method === 'HEAD' ? (claimed ?? content.length) : part.length,
    'last-modified': new Date().toUTCString()
  })
  if (request.method === 'HEAD') return void response.end()
  if (typeof fault === 'object' && 'breakAfter' in fault) {
    response.write(part.subarray(0, fault.breakAfter), () => response.destroy())
    return
  }
  response.end(part)
}

const listing = (objects: ReadonlyMap<string, Buffer>, bucket: string, prefix: string): string => {
  const contents = [...objects]
    .filter(([name]) => name.startsWith(`${bucket}/${prefix}`))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { length }]) => {
      const [key, time] = [name.slice(bucket.length + 1), new Date().toISOString()]
      return `<Contents><Key>${key}</Key><Size>${length}</Size><LastModified>${time}</LastModified></Contents>`
    })
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`
}

interface Upload {
  method: string
  name: string
  uploadId: string
  part: number
}

/** Parts wait as objects of a bucket that nobody can name. */
const upload = (server: S3TestServer, { method, name, uploadId, part }: Upload, body: Buffer, response: ServerResponse): void => {
  const parts = [...server.objects].filter(([key]) => key.startsWith(`/${uploadId}/`))
  if (method === 'PUT') {
    server.objects.set(`/${uploadId}/${part}`, body)
    return void response.writeHead(200, { etag: etagOf(body) }).end()
  }
  for (const [key] of parts) server.objects.delete(key)
  if (method === 'DELETE') return void response.writeHead(204).end()
  if (uploadId === '')
    return void response.end('<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>')
  const inOrder = parts.toSorted(([a], [b]) => a.localeCompare(b)).map(([, content]) => content)
  server.objects.set(name, Buffer.concat(inOrder))
  response.end('<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>')
}

const readRequest = ({ method = '', url = '/', headers }: IncomingMessage) => {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(pathname)) ?? []
  return {
    method,
    bucket,
    key,
    range: headers.range,
    prefix: searchParams.get('prefix') ?? '',
    isDeletion: searchParams.has('delete'),
    uploadId: searchParams.has('uploads') ? '' : (searchParams.get('uploadId') ?? undefined),
    part: Number(searchParams.get('partNumber'))
  }
}

const answer = async (server: S3TestServer, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await buffer(incoming)
  const { prefix, isDeletion, uploadId, part, ...request } = readRequest(incoming)
  const { method, bucket, key } = request
  server.requests.push(request)
  const fault = server.fault(request)
  if (fault === 'silence') return
  if (typeof fault === 'object' && 'code' in fault) return refuse(response, fault.status, fault.code)
  if (!server.buckets.has(bucket)) return refuse(response, 404, 'NoSuchBucket')
  const name = `${bucket}/${key}`
  if (isDeletion) {
    for (const [, gone = ''] of String(body).matchAll(/<Key>(.*?)<\/Key>/g)) server.objects.delete(`${bucket}/${gone}`)
    return void response.end('<DeleteResult></DeleteResult>')
  }
  if (uploadId !== undefined) return upload(server, { method, name, uploadId, part }, body, response)
  if (method === 'PUT') {
    server.objects.set(name, body)
    return void response.writeHead(200, { etag: etagOf(body) }).end()
  }
  if (key === '') return void response.end(listing(server.objects, bucket, prefix))
  const content = server.objects.get(name)
  return content
    ? send(incoming, response, { content, claimed: server.claims.get(name) }, fault)
    : refuse(response, 404, 'NoSuchKey')
}

/** Starts one. Clients find their credentials in the environment, where any will do. */
export const startS3 = async (...buckets: string[]): Promise<S3TestServer> => {
  const listener = createServer((request, response) => void answer(server, request, response)).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const server: S3TestServer = {
    access: { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', forcePathStyle: true },
    objects: new Map(),
    buckets: new Set(buckets),
    requests: [],
    claims: new Map(),
    fault: () => undefined,
    close: async () => {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
    }
  }
  return server
}
