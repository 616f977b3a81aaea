import { createHash, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type S3TestServer, startS3, temporaryFolder } from '@nextscale/platform/testing'
import { pino } from 'pino'

// oxlint-disable-next-line node/no-process-env -- where the S3 client looks for credentials
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })

export const MB = 2 ** 20
export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

/** Puts a folder into the bucket `models`: a manifest that lists the files, and the files. */
export const putModel = ({ objects }: S3TestServer, prefix: string, files: Record<string, Buffer>, others: object = {}): void => {
  const entries = Object.entries(files).map(([path, content]) => [path.split('.')[0], { path, sha256: sha256(content) }] as const)
  for (const [path, content] of Object.entries(files)) objects.set(`models/${prefix}/${path}`, content)
  objects.set(`models/${prefix}/manifest.json`, Buffer.from(JSON.stringify({ files: Object.fromEntries(entries), ...others })))
}

/** Content that is no other's; one request of 16 MB each. */
export const randomContent = (sizeBytes: number): Buffer => randomBytes(sizeBytes)

export interface Told {
  level: number
  msg: string
  [field: string]: unknown
}

/** A bucket `models`, an empty cache folder, and what is told to the log. */
export const openBucketWorld = async (t: TestContext) => {
  const server = await startS3('models')
  t.after(() => server.close())
  const told: Told[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void told.push(JSON.parse(line) as Told) })
  const cache = await temporaryFolder(t)
  const options = { access: server.access, cache, log }
  /** Ranges of a file that were asked for, as first bytes. */
  const ranges = (name: string) =>
    server.requests.flatMap(({ method, key, range }) =>
      method === 'GET' && key.endsWith(name) && range !== undefined ? [Number(/\d+/.exec(range)?.[0])] : []
    )
  return { server, told, cache, options, ranges }
}
