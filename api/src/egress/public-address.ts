import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Addresses that look public and lead to the machine's own cloud: the metadata service of Azure. */
const NOT_PUBLIC: ReadonlySet<string> = new Set(['168.63.129.16'])

/** Everything assigned as global unicast so far; what lies outside may be given a meaning at any time. */
const isGlobalUnicast = (address: ipaddr.IPv6) => (address.parts[0] ?? 0) >> 13 === 0b001

/**
 * Whether an address is public unicast: in none of the special-purpose blocks of IANA's registries. IPv6 addresses that
 * stand for an IPv4 address (mapped, NAT64, 6to4, Teredo) are not, whichever it is.
 */
export const isPublicAddress = (address: string): boolean => {
  if (isIPv4(address)) return ipaddr.IPv4.parse(address).range() === 'unicast' && !NOT_PUBLIC.has(address)
  if (!isIPv6(address) || address.includes('%')) return false
  const parsed = ipaddr.IPv6.parse(address)
  return isGlobalUnicast(parsed) && parsed.range() === 'unicast'
}
