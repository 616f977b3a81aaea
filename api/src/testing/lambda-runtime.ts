import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { FOREIGN_HEADER } from './lambda-bootstrap.ts'

export interface LambdaFunction {
  process: ChildProcess
  /** What the handler answers. Rejects with its error, and when the process ends. */
  invoke(event: object): Promise<unknown>
  /** Names of packages that were asked for outside the bundle. */
  foreignImports: string[]
  close(): Promise<void>
}

/** As the gateway has it. */
const DEADLINE_MS = 30_000

interface Invocation {
  event: object
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

/** Lambda's Runtime API, for one container: it hands out one event at a time and takes its answer. */
const createRuntimeApi = (foreignImports: string[]) => {
  const waiting: Invocation[] = []
  const handedOut = new Map<string, Invocation>()
  let asking: ServerResponse | undefined
  const handOut = () => {
    const [next] = waiting
    if (!asking || !next) return
    waiting.shift()
    const id = randomUUID()
    handedOut.set(id, next)
    asking.writeHead(200, { 'lambda-runtime-aws-request-id': id }).end(JSON.stringify(next.event))
    asking = undefined
  }
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const [, id = '', path] = /\/invocation\/(?:([^/]+)\/)?(\w+)$/.exec(request.url ?? '') ?? []
    if (path === 'next') {
      asking = response
      return handOut()
    }
    foreignImports.push(
      ...String(request.headers[FOREIGN_HEADER] ?? '')
        .split(',')
        .filter(Boolean)
    )
    const body: unknown = JSON.parse(await text(request))
    if (path === 'response') handedOut.get(id)?.resolve(body)
    else handedOut.get(id)?.reject(new Error(JSON.stringify(body)))
    response.writeHead(202).end()
  }
  const server = createServer((request, response) => void take(request, response))
  const invoke = (event: object) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.push({ event, resolve, reject })
    handOut()
    const deadline = setTimeout(() => reject(new Error(`The function has not answered for ${DEADLINE_MS} ms`)), DEADLINE_MS)
    return promise.finally(() => clearTimeout(deadline))
  }
  const failAll = (error: Error) => [...waiting, ...handedOut.values()].forEach(({ reject }) => reject(error))
  return { server, invoke, failAll }
}

/** Runs `lambda.mjs` of a folder as Lambda does: driven over the Runtime API, with that folder and Node to load from. */
export const startLambda = async (folder: string, environment: Record<string, string>): Promise<LambdaFunction> => {
  const foreignImports: string[] = []
  const { server, invoke, failAll } = createRuntimeApi(foreignImports)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const bootstrap = fileURLToPath(new URL('lambda-bootstrap.ts', import.meta.url))
  const args = [bootstrap, `127.0.0.1:${port}`, folder, 'lambda.handler']
  // No PATH, HOME or NODE_PATH: nothing of this machine but what is given.
  const child = spawn(process.execPath, args, { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.once('exit', () => failAll(new Error(`The function ended: ${said}`)))
  return {
    process: child,
    invoke,
    foreignImports,
    close: async () => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await ended
      server.close()
      server.closeAllConnections()
    }
  }
}
