import { isIP } from 'node:net'
import type { EgressConfig } from '../config-webhooks.ts'
import type { Client } from './client.ts'
import { toConnectionError } from './connection-error.ts'
import { underDeadline } from './deadline.ts'
import { type Egress, EgressRefusal } from './egress.ts'
import { isRefused } from './guarded-lookup.ts'
import { createNameResolver, type Resolution } from './resolve.ts'
import { createSharedResolver } from './shared-resolver.ts'
import { hostOf, notPublic, readTarget } from './target.ts'

interface EgressOptions {
  /** Certificates, in PEM, of authorities that are trusted instead of the usual ones. */
  ca?: string
}

/** How long a check waits for name servers. */
const CHECK_TIMEOUT_MS = 2000

const isTimeout = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError'

/** What name servers say in time. */
const resolveInTime = async (resolving: Promise<Resolution>, signal: AbortSignal | undefined): Promise<Resolution> => {
  try {
    return await underDeadline(CHECK_TIMEOUT_MS, signal, () => resolving)
  } catch (error) {
    if (isTimeout(error)) return { kind: 'unknown', cause: error }
    throw error
  }
}

/** Opens the way out. The HTTP client is loaded with the first request, since most API processes never make one. */
export const openEgress = (config: EgressConfig, { ca }: EgressOptions = {}): Egress => {
  const names = createNameResolver(config)
  const resolveShared = createSharedResolver(names)
  let client: Promise<Client> | undefined

  const openClient = async () => {
    const { createClient } = await import('./client.ts')
    return createClient({ config, names, ca })
  }

  return {
    check: async (url, signal) => {
      const host = hostOf(readTarget(config, url))
      if (isIP(host) !== 0) return
      const resolution = await resolveInTime(resolveShared(host), signal)
      if (isRefused(resolution, config)) throw notPublic()
      if (resolution.kind === 'none') {
        throw new EgressRefusal('The host has no address. Check how its name is spelled, and its DNS records.')
      }
    },
    post: async (wanted) => {
      const target = readTarget(config, wanted.url)
      client ??= openClient()
      const opened = client
      const send = async (signal: AbortSignal) => (await opened).post(target, wanted, signal)
      try {
        return await underDeadline(wanted.timeoutMs, wanted.signal, send)
      } catch (error) {
        throw toConnectionError(error, wanted.signal)
      }
    },
    close: async () => {
      names.close()
      const opened = await client
      await opened?.close()
    }
  }
}
