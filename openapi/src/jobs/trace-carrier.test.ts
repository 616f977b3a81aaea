import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceCarrier, writeTraceCarrier } from './trace-carrier.ts'

test('a carrier is read as it was written', () => {
  for (const carrier of [{ traceparent: '00-a-b-01' }, { traceparent: '00-a-b-01', tracestate: 'vendor=1' }])
    assert.deepEqual(readTraceCarrier(writeTraceCarrier(carrier)), carrier)
})

test('what is no carrier is none, and no error', () => {
  for (const text of [undefined, '', '{', 'null', '7', '[]', '{}', '{"traceparent":7}'])
    assert.equal(readTraceCarrier(text), undefined)
  assert.deepEqual(readTraceCarrier('{"traceparent":"a","tracestate":7,"other":1}'), { traceparent: 'a' })
})
