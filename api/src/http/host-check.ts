import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { isLoopback } from './loopback.ts'
import { ProblemError } from './problem.ts'

/** The host of a Host header, without its port and the brackets of an IPv6 address. */
const hostOf = (header: string): string | undefined => {
  const [, inBrackets, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(header.toLowerCase()) ?? []
  return inBrackets ?? plain
}

/**
 * Refuses requests for hosts other than this machine and PUBLIC_URL's, where requests are taken without a key. A web page
 * may let its own name lead to loopback (DNS rebinding), and its visitor's browser then sends its requests here with that name.
 */
export const createHostCheck = ({ publicUrl }: Pick<Config, 'publicUrl'>): ((request: FastifyRequest) => void) => {
  const publicHost = publicUrl === undefined ? undefined : hostOf(new URL(publicUrl).host)
  const isAllowed = (host: string | undefined) => host !== undefined && (isLoopback(host) || host === publicHost)
  return ({ headers: { host } }) => {
    // Browsers always send one; only HTTP/1.0 may come without.
    if (host === undefined || isAllowed(hostOf(host))) return
    const mend = 'Send a key, set PUBLIC_URL to the URL clients use, or UNAUTHENTICATED=allow if all who can reach it may use it.'
    const detail = `Without an API key this server answers on loopback only. ${mend}`
    throw new ProblemError('host_not_allowed', detail, { errors: [{ pointer: '/headers/host', detail }] })
  }
}
