import { isIP } from 'node:net'
import type { EgressConfig } from '../config-webhooks.ts'
import { EgressRefusal } from './egress.ts'
import { isPublicAddress } from './public-address.ts'

const ANY = 'For development, EGRESS=any lets it through.'

/** Labels as DNS has them. The URL parser has made IDN of all other letters, and IPv4 addresses of all their spellings. */
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/
const MAX_NAME_LENGTH = 253
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|localdomain|internal|home\.arpa)$/

/** The host of a URL as sockets take it: addresses of IPv6 stand in brackets there. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

export const notPublic = () =>
  new EgressRefusal(`The host leads to an address that is not public. Use one that can be reached from the internet. ${ANY}`)

const refuseHost = (host: string): void => {
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) throw notPublic()
    return
  }
  if (host.endsWith('.')) throw new EgressRefusal('Leave out the dot at the end of the host.')
  if (PRIVATE_NAME.test(host) || !host.includes('.')) {
    throw new EgressRefusal(`The host is a name of private networks. Use a full public name such as "hooks.example.com". ${ANY}`)
  }
  if (host.length > MAX_NAME_LENGTH || !NAME.test(host)) {
    throw new EgressRefusal('The host is not a name that DNS can have. Use one such as "hooks.example.com".')
  }
}

const refusePort = ({ port }: URL, ports: readonly number[]): void => {
  if (ports.includes(port === '' ? 443 : Number(port))) return
  throw new EgressRefusal(
    `Use port ${ports.join(' or ')}, not ${port === '' ? 443 : port}. EGRESS_PORTS of the service says which are open.`
  )
}

/**
 * The URL, when its text alone speaks for it. Names have still to be resolved.
 * @throws EgressRefusal
 */
export const readTarget = ({ targets, ports }: EgressConfig, text: string): URL => {
  if (!URL.canParse(text)) throw new EgressRefusal('Use an absolute URL such as "https://hooks.example.com/path".')
  const url = new URL(text)
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'https' && scheme !== 'http') throw new EgressRefusal(`Use https, not ${scheme}.`)
  if (url.username !== '' || url.password !== '') throw new EgressRefusal('Leave user name and password out of the URL.')
  if (targets === 'any') return url
  if (scheme === 'http') throw new EgressRefusal(`Use https, not http. ${ANY}`)
  refuseHost(hostOf(url))
  refusePort(url, ports)
  return url
}
