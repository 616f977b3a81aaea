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
  /** Asked before each request is answered. */
  fault: (request: S3Request) => S3Fault | undefined
  close(): Promise<void>
}

const etagOf = (content: Buffer) => `"${createHash('md5').update(content).digest('hex')}"`

const refuse = (response: ServerResponse, status: number, code: string): void => {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

const send = (request: IncomingMessage, response: ServerResponse, content: Buffer, fault: S3Fault | undefined): void => {
  const etag = etagOf(content)
  const condition = request.headers['if-match']
  if (condition !== undefined && condition !== etag) return refuse(response, 412, 'PreconditionFailed')
  const [, from = '0', to = String(content.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  const part = content.subarray(Number(from), Number(to) + 1)
  response.writeHead(request.headers.range === undefined ? 200 : 206, {
    etag,
    'content-length': part.length,
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

const readRequest = ({
  method = '',
  url = '/',
  headers
}: IncomingMessage): S3Request & { prefix: string; isDeletion: boolean } => {
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(pathname)) ?? []
  return {
    method,
    bucket,
    key,
    range: headers.range,
    prefix: searchParams.get('prefix') ?? '',
    isDeletion: searchParams.has('delete')
  }
}

const answer = async (server: S3TestServer, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await buffer(incoming)
  const { prefix, isDeletion, ...request } = readRequest(incoming)
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
  if (method === 'PUT') {
    server.objects.set(name, body)
    return void response.writeHead(200, { etag: etagOf(body) }).end()
  }
  if (key === '') return void response.end(listing(server.objects, bucket, prefix))
  const content = server.objects.get(name)
  return content ? send(incoming, response, content, fault) : refuse(response, 404, 'NoSuchKey')
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
    fault: () => undefined,
    close: async () => {
      listener.closeAllConnections()
      listener.close()
      await once(listener, 'close')
    }
  }
  return server
}
