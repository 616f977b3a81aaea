import { BlockList, isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Addresses that look public and lead to the machine's own cloud: the metadata service of Azure. */
const NOT_PUBLIC: ReadonlySet<string> = new Set(['168.63.129.16'])

/**
 * What IANA has handed out of 2000::/3 to the regional registries, whose members the addresses are routed to. What lies
 * outside may be given a meaning at any time, or has had one: 2001::/23 is for protocols, 2002::/16 stands for IPv4, 3ffe::/16
 * was the 6bone's.
 */
const ALLOCATED = [
  '2001:200::/23',
  '2001:400::/23',
  '2001:600::/23',
  '2001:800::/22',
  '2001:c00::/22',
  '2001:1200::/23',
  '2001:1400::/22',
  '2001:1800::/22',
  '2001:1c00::/22',
  '2001:2000::/19',
  '2001:4000::/21',
  '2001:4800::/22',
  '2001:4c00::/23',
  '2001:5000::/20',
  '2001:8000::/19',
  '2001:a000::/19',
  '2003::/18',
  '2400::/11',
  '2600::/12',
  '2610::/23',
  '2620::/23',
  '2630::/12',
  '2800::/12',
  '2a00::/11',
  '2c00::/12'
]

const allocated = new BlockList()
for (const block of ALLOCATED) {
  const [network = '', length] = block.split('/')
  allocated.addSubnet(network, Number(length), 'ipv6')
}

/**
 * Whether an address is public unicast: in none of the special-purpose blocks of IANA's registries. IPv6 addresses that
 * stand for an IPv4 address (mapped, NAT64, 6to4, Teredo) are not, whichever it is.
 */
export const isPublicAddress = (address: string): boolean => {
  if (isIPv4(address)) return ipaddr.IPv4.parse(address).range() === 'unicast' && !NOT_PUBLIC.has(address)
  if (!isIPv6(address) || address.includes('%')) return false
  return allocated.check(address, 'ipv6') && ipaddr.IPv6.parse(address).range() === 'unicast'
}
