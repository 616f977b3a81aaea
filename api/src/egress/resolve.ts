import { lookup, Resolver } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import type { EgressConfig } from '../config-webhooks.ts'

/** What name servers say of a name. */
export type Resolution =
  | { readonly kind: 'found'; readonly addresses: readonly LookupAddress[] }
  /** There is no such name, or it has no address. */
  | { readonly kind: 'none' }
  /** They did not say. */
  | { readonly kind: 'unknown'; readonly cause: unknown }

export interface NameResolver {
  resolve(name: string): Promise<Resolution>
  close(): void
}

/** The first pause; it doubles with each try. Further servers are asked in between. */
const TIMEOUT_MS = 1000
const TRIES = 3

const SAYS_NONE: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const failed = (error: unknown): Resolution =>
  SAYS_NONE.has(codeOf(error)) ? { kind: 'none' } : { kind: 'unknown', cause: error }

const found = (addresses: readonly LookupAddress[]): Resolution =>
  addresses.length > 0 ? { kind: 'found', addresses } : { kind: 'none' }

/** Asks the system, its hosts file included. It has four threads for that, so one slow name delays others. */
const askSystem = async (name: string): Promise<Resolution> => {
  try {
    return found(await lookup(name, { all: true }))
  } catch (error) {
    return failed(error)
  }
}

const askServers = async (resolver: Resolver, name: string): Promise<Resolution> => {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const addresses = [
    ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
    ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : [])
  ]
  if (addresses.length > 0) return found(addresses)
  const failures = [v4, v6].flatMap((result) => (result.status === 'rejected' ? [failed(result.reason)] : []))
  return failures.find(({ kind }) => kind === 'unknown') ?? { kind: 'none' }
}

/** Resolves names: at name servers, as many at once as there are; those of the hosts file only where any target is let through. */
export const createNameResolver = ({ targets, dnsServers }: EgressConfig): NameResolver => {
  if (targets === 'any' && dnsServers.length === 0) return { resolve: askSystem, close: () => undefined }
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  if (dnsServers.length > 0) resolver.setServers(dnsServers)
  return { resolve: (name) => askServers(resolver, name), close: () => resolver.cancel() }
}
