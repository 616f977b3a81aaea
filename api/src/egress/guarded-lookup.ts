import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import type { EgressConfig } from '../config-webhooks.ts'
import { isPublicAddress } from './public-address.ts'
import type { NameResolver, Resolution } from './resolve.ts'
import { notPublic } from './target.ts'

/** How many addresses of a name are tried. */
const MAX_TRIED = 8

/** Whether nothing is sent to where a name leads. One address is enough: the name could not be told from a private one. */
export const isRefused = (resolution: Resolution, { targets }: EgressConfig): boolean =>
  targets === 'public' && resolution.kind === 'found' && resolution.addresses.some(({ address }) => !isPublicAddress(address))

const coded = (message: string, code: string, cause?: unknown) => Object.assign(new Error(message, { cause }), { code })

/** @throws EgressRefusal; an Error with a code when there is no address. */
const resolveChecked = async (names: NameResolver, config: EgressConfig, name: string): Promise<LookupAddress[]> => {
  const resolution = await names.resolve(name)
  if (isRefused(resolution, config)) throw notPublic()
  if (resolution.kind === 'none') throw coded('The name has no address', 'ENOTFOUND')
  if (resolution.kind === 'unknown') throw coded('The name servers did not answer', 'EAI_AGAIN', resolution.cause)
  return resolution.addresses.slice(0, MAX_TRIED)
}

/** Resolves names for sockets: they get checked addresses and resolve nothing themselves. */
export const createGuardedLookup = (names: NameResolver, config: EgressConfig): LookupFunction => {
  const resolve = callbackify(resolveChecked)
  return (name, { all }, callback) =>
    resolve(names, config, name, (error, addresses) => {
      const [first] = addresses ?? []
      if (error || !first) callback(error, '', 0)
      else if (all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
}
