import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { openTestApp, type TestApp } from '../../api/src/testing/test-app.ts'
import { type RunningFunction, runFunction } from './support/run-function.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Where the examples look for it. */
const ZIP = join(ROOT, 'api', 'dist', 'lambda.zip')
const MAX_ZIP_BYTES = 5_000_000
const FIRST_ANSWER_MS = 1_000
const IMPORT_CPU_MS = 400
/** Other work on this machine only ever adds to a time, so the best of several counts. */
const TRIES = 12
const ENOUGH = 3
const HANDLER = 'lambda.handler'

let context: TestApp
let folder: string
let key: string

/** The only file of an archive, as its own headers describe it. */
const unzip = (zip: Buffer): { name: string; data: Buffer } => {
  const nameBytes = zip.readUInt16LE(26)
  const from = 30 + nameBytes + zip.readUInt16LE(28)
  return { name: zip.toString('utf8', 30, 30 + nameBytes), data: inflateRawSync(zip.subarray(from, from + zip.readUInt32LE(18))) }
}

const bundle = async (): Promise<Buffer> => {
  execFileSync(process.execPath, [join(ROOT, 'api/src/bundle.ts')], { stdio: 'inherit' })
  return readFile(ZIP)
}

/** An event of an HTTP API, payload version 2. */
const postGenerate = () => {
  const domainName = 'abcdefghij.execute-api.eu-central-1.amazonaws.com'
  const body = JSON.stringify({ seed: 7 })
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/generate',
    rawQueryString: '',
    headers: {
      authorization: `Bearer ${key}`,
      'content-length': String(body.length),
      'content-type': 'application/json',
      host: domainName,
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https'
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      domainName,
      http: { method: 'POST', path: '/generate', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'id=',
      routeKey: '$default',
      stage: '$default',
      timeEpoch: 1_767_225_600_000
    },
    body,
    isBase64Encoded: false
  }
}

interface Start {
  cpuMs: number
  /** From the start of the process on, without the time in which others had the CPUs. */
  answerMs: number
  heldUpMs: number
  status: number
  foreign: string[]
}

const startOnce = async (env: Record<string, string>): Promise<Start> => {
  const begun = performance.now()
  let running: RunningFunction | undefined
  try {
    running = await runFunction(folder, HANDLER, env)
    const { answer, heldUpMs } = await running.invoke(postGenerate())
    const answerMs = performance.now() - begun - heldUpMs
    return { cpuMs: await running.loaded, answerMs, heldUpMs, status: answer.statusCode, foreign: running.foreign }
  } finally {
    await running?.close()
  }
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextscale-function-'))
  context = await openTestApp()
  key = (await context.createKey()).token
})
after(async () => {
  await context.close()
  await rm(folder, { recursive: true, force: true })
})

test('the bundle makes a zip below 5 MB that is the same each time, with one file', async (t) => {
  const [first, second] = [await bundle(), await bundle()]
  assert.ok(first.equals(second), 'two archives of the same code differ, so each plan would replace the function')
  t.diagnostic(`lambda.zip: ${(first.length / 1e6).toFixed(2)} MB`)
  assert.ok((await stat(ZIP)).size < MAX_ZIP_BYTES)
  const { name, data } = unzip(first)
  assert.equal(name, 'lambda.mjs')
  // Another program reads it as well.
  execFileSync('python3', [
    '-c',
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None and z.namelist() == ["lambda.mjs"]',
    ZIP
  ])
  await writeFile(join(folder, name), data)
})

test('alone in a folder it answers POST /generate within its first second, from a cold start of 0.4 s of CPU', async (t) => {
  const env = { REDIS_URL: context.server.url, S3_BUCKET: 'pictures', S3_REGION: 'eu-central-1', LOG_LEVEL: 'warn' }
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  const starts: Start[] = []
  const isGood = ({ cpuMs, answerMs }: Start) => cpuMs <= IMPORT_CPU_MS && answerMs <= FIRST_ANSWER_MS
  for (let i = 0; i < TRIES && !(i >= ENOUGH && starts.some(isGood)); i += 1)
    starts.push(await startOnce({ ...env, ...credentials }))
  for (const { status, foreign } of starts) assert.deepEqual([status, foreign], [202, []])
  const [cpuMs, answerMs] = [Math.min(...starts.map((start) => start.cpuMs)), Math.min(...starts.map((start) => start.answerMs))]
  const held = starts.map(({ heldUpMs }) => heldUpMs.toFixed(0)).join(', ')
  t.diagnostic(
    `cold import: ${cpuMs.toFixed(0)} ms of CPU; process start to answer: ${answerMs.toFixed(0)} ms, besides ${held} ms for other processes`
  )
  assert.ok(cpuMs <= IMPORT_CPU_MS, `importing took ${cpuMs} ms of CPU`)
  assert.ok(answerMs <= FIRST_ANSWER_MS, `the answer came after ${answerMs} ms`)
})
