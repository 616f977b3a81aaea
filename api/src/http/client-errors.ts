import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { COMMON_HEADERS } from './common-headers.ts'
import { PROBLEM_MEDIA_TYPE, ProblemError, toProblem } from './problem.ts'
import { newRequestId } from './request-id.ts'

/** How long an answer has to get through before its connection is cut, whatever else arrives there. */
const LINGER_MS = 1000

const toProblemError = (code: string | undefined): ProblemError => {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ProblemError('header_fields_too_large', 'The request line and headers are too large. Send fewer or shorter ones.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ProblemError('request_timeout', 'The request did not arrive in time. Send it again, without pauses.')
  }
  if (code === 'HPE_INVALID_URL') {
    return new ProblemError(
      'invalid_request',
      'The URL has characters that have no place in one: write them percent-encoded, in UTF-8.'
    )
  }
  if (code === 'HPE_INVALID_EOF_STATE') {
    return new ProblemError('invalid_request', 'The connection ended before the whole request had arrived. Send it again.')
  }
  return new ProblemError('invalid_request', 'This is not a valid HTTP/1.1 request. Check the request line and the headers.')
}

/** Ends a connection. It goes on reading for a while, since what is unread when it is cut takes the answer with it. */
const closeSoon = (socket: Socket): void => {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** Answers on a connection where there is no request, and so no reply. */
const answerBare = (socket: Socket, problem: ProblemError): void => {
  const requestId = newRequestId()
  const body = JSON.stringify(toProblem(problem, requestId))
  const headers = {
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...COMMON_HEADERS,
    'x-request-id': requestId,
    connection: 'close'
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.write(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  closeSoon(socket)
}

/** Deals with an error of a request that a reply is due to, or was, so that nothing is put into the middle of an answer. */
const tellReply = (reply: FastifyReply, socket: Socket, problem: ProblemError): void => {
  const { raw: response, request } = reply
  const isWhole = request.raw.complete
  // The error is in what came after it.
  if (isWhole && response.writableFinished) answerBare(socket, problem)
  else if (response.writableEnded) closeSoon(socket)
  else if (reply.sent || response.headersSent) socket.destroy()
  else if (!isWhole && request.raw.listenerCount('error') > 0) request.raw.emit('error', problem)
  // What is wrong is not waited for by anyone, so the answer is made all the same.
  else reply.header('connection', 'close')
}

export interface ClientErrors {
  /** Answers what Node cannot take for HTTP, or what does not arrive in time. */
  handle: (error: Error & { code?: string }, socket: Socket) => void
  /** Has the server remember which answer is due on which connection. */
  watch: (app: FastifyInstance) => void
}

export const createClientErrors = (): ClientErrors => {
  const replies = new WeakMap<Socket, FastifyReply>()
  return {
    handle: (error, socket) => {
      const reply = replies.get(socket)
      if (error.code === 'ECONNRESET') socket.destroy()
      else if (socket.writableEnded) return
      else if (reply === undefined) answerBare(socket, toProblemError(error.code))
      else tellReply(reply, socket, toProblemError(error.code))
    },
    watch: (app) => {
      app.addHook('onRequest', (request, reply, next) => {
        replies.set(request.raw.socket, reply)
        next()
      })
    }
  }
}
