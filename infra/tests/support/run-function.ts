import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const DEADLINE_MS = 30_000
const BOOTSTRAP = join(import.meta.dirname, 'lambda-bootstrap.mjs')

export interface Answer {
  statusCode: number
  headers: Record<string, string>
  body: string
}

/** An answer, and how long the function had been held up by then by others that had the CPUs. */
export interface Answered {
  answer: Answer
  heldUpMs: number
}

export interface RunningFunction {
  /** CPU time of the import of the handler, user and system. */
  loaded: Promise<number>
  invoke(event: object): Promise<Answered>
  /** Modules that were found outside of the folder and of Node. */
  foreign: string[]
  close(): Promise<void>
}

/** The Runtime API of one container of Lambda. */
const createRuntimeApi = () => {
  const loaded = Promise.withResolvers<number>()
  const waiting: object[] = []
  const foreign: string[] = []
  let asking: ServerResponse | undefined
  let answered = Promise.withResolvers<Answered>()
  const handOut = () => {
    if (asking === undefined || waiting.length === 0) return
    asking.writeHead(200, { 'lambda-runtime-aws-request-id': randomUUID() }).end(JSON.stringify(waiting.shift()))
    asking = undefined
  }
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const path = /\/runtime\/(.+)$/.exec(request.url ?? '')?.[1] ?? ''
    if (path === 'invocation/next') {
      asking = response
      return handOut()
    }
    const body: unknown = JSON.parse(await text(request))
    response.writeHead(202).end()
    if (path === 'init/loaded') return loaded.resolve((body as { cpuMs: number }).cpuMs)
    const { answer, heldUpMs, foreign: found } = body as Answered & { foreign: string[] }
    foreign.splice(0, foreign.length, ...found)
    answered.resolve({ answer, heldUpMs })
  }
  const server = createServer((request, response) => void take(request, response))
  /** One at a time, as Lambda does. */
  const invoke = (event: object): Promise<Answered> => {
    answered = Promise.withResolvers<Answered>()
    const deadline = setTimeout(() => answered.reject(new Error(`no answer for ${DEADLINE_MS} ms`)), DEADLINE_MS)
    waiting.push(event)
    handOut()
    return answered.promise.finally(() => clearTimeout(deadline))
  }
  const fail = (error: Error) => {
    loaded.reject(error)
    answered.reject(error)
  }
  return { server, loaded: loaded.promise, invoke, foreign, fail }
}

/** Runs the handler of a folder as Lambda does: driven over the Runtime API, with that folder and Node to load from. */
export const runFunction = async (folder: string, handler: string, env: Record<string, string>): Promise<RunningFunction> => {
  const { server, loaded, invoke, foreign, fail } = createRuntimeApi()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  // No PATH, HOME or NODE_PATH: nothing of this machine but what is given.
  const child = spawn(process.execPath, [BOOTSTRAP, `127.0.0.1:${port}`, folder, handler], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.once('exit', () => fail(new Error(`the function ended: ${said}`)))
  loaded.catch(() => undefined)
  return {
    loaded,
    invoke,
    foreign,
    close: async () => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await ended
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
