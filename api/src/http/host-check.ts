import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Config } from '../config.ts'
import { isLoopback } from '../loopback.ts'
import { ProblemError } from './problem.ts'

/** The host of a Host header, without its port and the brackets of an IPv6 address. */
const hostOf = (header: string): string | undefined => {
  const [, inBrackets, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(header.toLowerCase()) ?? []
  return inBrackets ?? plain
}

/**
 * Refuses requests for hosts other than this machine and PUBLIC_URL's. A web page may let its own name lead to loopback
 * (DNS rebinding), and its visitor's browser then sends its requests here with that name. HOST is always loopback here.
 */
export const hostCheck = fastifyPlugin(
  (app: FastifyInstance, { publicUrl, unauthenticated }: Pick<Config, 'publicUrl' | 'unauthenticated'>, done) => {
    const publicHost = publicUrl === undefined ? undefined : hostOf(new URL(publicUrl).host)
    const isAllowed = (host: string | undefined) => host !== undefined && (isLoopback(host) || host === publicHost)
    if (unauthenticated === 'refuse') {
      app.addHook('onRequest', (request, _reply, next) => {
        const header = request.headers.host
        // Browsers always send one; only HTTP/1.0 may come without.
        if (header === undefined || isAllowed(hostOf(header))) return next()
        const mend = 'Set PUBLIC_URL to the URL clients use, or UNAUTHENTICATED=allow if everyone who can reach it may use it.'
        next(new ProblemError('host_not_allowed', `Without API keys this server answers on loopback only. ${mend}`))
      })
    }
    done()
  },
  { name: 'host-check', dependencies: ['problems'] }
)
