import { isIP } from 'node:net'
import { Agent, buildConnector, request } from 'undici'
import type { EgressConfig } from '../config-webhooks.ts'
import type { EgressAnswer, EgressRequest } from './egress.ts'
import { createGuardedLookup } from './guarded-lookup.ts'
import { isPublicAddress } from './public-address.ts'
import type { NameResolver } from './resolve.ts'
import { notPublic } from './target.ts'

interface ClientOptions {
  config: EgressConfig
  names: NameResolver
  /** Certificates of authorities that are trusted instead of the usual ones. */
  ca: string | undefined
}

export interface Client {
  post(target: URL, wanted: EgressRequest, signal: AbortSignal): Promise<EgressAnswer>
  close(): Promise<void>
}

/** A connection that nobody waits for any more is given up after this. */
const CONNECT_TIMEOUT_MS = 10_000
/** How long one address has before the next is tried as well. */
const NEXT_ADDRESS_MS = 1000
const MAX_CONNECTIONS_PER_ORIGIN = 1000
/** An idle connection is closed after this, however long its receiver would keep it. */
const MAX_IDLE_MS = 10_000

/** The one way to a socket. Names go through the lookup; sockets do not look addresses up, so those are checked here. */
const createConnector = ({ config, names, ca }: ClientOptions): buildConnector.connector => {
  const connect = buildConnector({
    lookup: createGuardedLookup(names, config),
    timeout: CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    // Said here, an environment variable cannot turn it off.
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca })
  })
  return (options, callback) => {
    if (config.targets === 'public' && isIP(options.hostname) !== 0 && !isPublicAddress(options.hostname)) {
      process.nextTick(callback, notPublic(), null)
    } else connect(options, callback)
  }
}

/** Reads until there is more than wanted; leaving the loop closes the connection. */
const readText = async (body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> => {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) break
  }
  // A character that the limit cuts in two is left out.
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBytes), { stream: sizeBytes > maxBytes })
}

/** Connections of its own, whatever proxies, retries or interceptors the process has. */
export const createClient = (options: ClientOptions): Client => {
  const agent = new Agent({
    connect: createConnector(options),
    connections: MAX_CONNECTIONS_PER_ORIGIN,
    keepAliveMaxTimeout: MAX_IDLE_MS,
    // The deadline is over all of it.
    headersTimeout: 0,
    bodyTimeout: 0
  })
  return {
    post: async (target, { headers, body, maxAnswerBytes }, signal) => {
      const answer = await request(target, { dispatcher: agent, method: 'POST', headers, body, signal })
      answer.body.on('error', () => undefined)
      return { status: answer.statusCode, headers: answer.headers, body: await readText(answer.body, maxAnswerBytes) }
    },
    close: () => agent.destroy()
  }
}
