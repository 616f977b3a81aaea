import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort, until } from '@nextscale/platform/testing'
import { pythonEnv } from '../../../scripts/testing/python-env.ts'
import { inherited } from './config.ts'

const FOLDER = join(import.meta.dirname, '..', 'emulator')
const START_MS = 60_000
const REGION = 'eu-central-1'

export interface Emulator {
  url: string
  /** Asks a service that speaks JSON; the signature is not looked at. */
  ask<T>(service: string, target: string, body: object): Promise<T>
  put(bucket: string, key: string, text: string): Promise<void>
  buckets(): Promise<string[]>
  close(): Promise<void>
}

const isUp = (url: string): Promise<boolean> =>
  fetch(`${url}/moto-api/`, { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false
  )

const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`
})

const callsOf = (url: string): Omit<Emulator, 'url' | 'close'> => {
  const call = async (path: string, init: RequestInit): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(30_000) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`)
    return text
  }
  return {
    ask: async <T>(service: string, target: string, body: object) => {
      const headers = { ...signed(service), 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }
      return JSON.parse(await call('/', { method: 'POST', headers, body: JSON.stringify(body) })) as T
    },
    put: async (bucket, key, text) => {
      // moto refuses whatever a policy denies, without a look at its condition.
      await call(`/${bucket}?policy`, { method: 'DELETE', headers: signed('s3') })
      await call(`/${bucket}/${key}`, { method: 'PUT', headers: signed('s3'), body: text })
    },
    buckets: async () =>
      [...(await call('/', { headers: signed('s3') })).matchAll(/<Name>([^<]+)</g)].map(([, name]) => name ?? '')
  }
}

const end = async (child: ChildProcess): Promise<void> => {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  child.kill('SIGKILL')
  await ended
}

/** Starts moto, with what `emulator/server.py` adds to it; throws a sentence when it cannot be installed. */
export const startEmulator = async (): Promise<Emulator> => {
  const { python } = await pythonEnv(join(FOLDER, 'requirements.txt'))
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(python, [join(FOLDER, 'server.py'), new URL(url).port], { env: inherited(), stdio: 'ignore' })
  try {
    await until('moto', () => isUp(url), { deadlineMs: START_MS, againMs: 200 })
  } catch (error) {
    await end(child)
    throw error
  }
  return { url, ...callsOf(url), close: () => end(child) }
}
