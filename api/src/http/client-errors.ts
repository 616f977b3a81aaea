import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import { PROBLEM_MEDIA_TYPE, ProblemError, toProblem } from './problem.ts'
import { newRequestId } from './request-id.ts'

const toProblemError = (code: string | undefined): ProblemError => {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ProblemError('header_fields_too_large', 'The request line and headers are too large. Send fewer or shorter ones.')
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ProblemError('invalid_request', 'The request did not arrive in time. Send it again, without pauses.')
  }
  return new ProblemError('invalid_request', 'This is not a valid HTTP/1.1 request. Check the request line and the headers.')
}

/** Answers what Node could not parse as HTTP, for which there is no request and no reply object. */
export const clientErrorHandler = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblemError(error.code)
  const requestId = newRequestId()
  const body = JSON.stringify(toProblem(problem, requestId))
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close'
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
