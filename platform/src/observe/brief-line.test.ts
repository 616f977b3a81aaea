import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { StoreUnavailable } from '../object-store/errors.ts'
import { briefLine } from './brief-line.ts'
import { loggedError } from './logged-error.ts'

const refused = () => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' })
const away = () => new StoreUnavailable('s3://models cannot be reached now.', refused())

const show = prettyFactory({ colorize: false, singleLine: true })

/** What a log for people has of one line. */
const written = (tell: (log: pino.Logger) => void): string => {
  const lines: string[] = []
  const options = { base: null, serializers: { err: loggedError } }
  tell(pino(options, { write: (line: string) => void lines.push(show(briefLine(line))) }))
  return lines.join('')
}

test('what is tried again is one line for people, with its reason and the causes of that', () => {
  const text = written((log) => log.warn({ err: away(), model: 's3://models/a' }, 'It is tried again'))
  assert.match(text, /^[^\n]*WARN: It is tried again [^\n]*"model":"s3:\/\/models\/a"[^\n]*\n$/)
  assert.match(text, /"reason":"s3:\/\/models cannot be reached now\. \(connect ECONNREFUSED 127\.0\.0\.1:9\)"/)
})

test('a store that is away is one line also where an attempt failed for it, and without a message has its code or type', () => {
  const text = written((log) => log.error({ err: away() }, 'attempt failed'))
  assert.match(text, /^[^\n]*ERROR: attempt failed [^\n]*\n$/)
  const several = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  assert.match(
    written((log) => log.warn({ err: several }, 'x')),
    /"reason":"ECONNREFUSED"/
  )
})

test('what broke here keeps its stack, and a line without an error is as it was', () => {
  assert.match(
    written((log) => log.error({ err: new TypeError('broken') }, 'the worker ended')),
    /TypeError: broken\n +at .*brief-line\.test/
  )
  const line = '{"level":40,"msg":"a \\"stack\\": of cards","stack":1}\n'
  assert.equal(briefLine(line), line)
  assert.equal(briefLine('{"level":30,"msg":"x"}\n'), '{"level":30,"msg":"x"}\n')
})
