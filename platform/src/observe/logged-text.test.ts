import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedError } from './logged-error.ts'
import { loggedText, loggedUrl } from './logged-text.ts'

test('signatures and tokens are taken out of URLs, and nothing else is', () => {
  assert.equal(loggedUrl('/v1/objects/a/0.png?expires=12&signature=abc&x=1'), '/v1/objects/a/0.png?expires=12&signature=***&x=1')
  assert.equal(loggedUrl('/generations/a/events?token=abc'), '/generations/a/events?token=***')
  assert.equal(loggedUrl('https://s3/a?X-Amz-Date=1&X-Amz-Signature=abc'), 'https://s3/a?X-Amz-Date=1&X-Amz-Signature=***')
  assert.equal(loggedUrl('/generations?limit=5'), '/generations?limit=5')
  assert.equal(loggedUrl('/healthz'), '/healthz')
})

test('spelling a name otherwise does not get its value into the log', () => {
  for (const query of ['%74oken=abc', 'TOKEN=abc', 'a=1&token=abc', 'token=a=abc'])
    assert.doesNotMatch(loggedUrl(`/x?${query}`), /abc/, query)
  assert.equal(loggedUrl('/x?%=1&token=abc'), '/x?%=1&token=***')
})

test('passwords in URLs are taken out of texts and errors', () => {
  assert.equal(loggedText('Cannot reach redis://me:hunter2@host:6379 now'), 'Cannot reach redis://***@host:6379 now')
  const error = new Error('GET /x?token=hunter2', { cause: new Error('rediss://:hunter2@host') })
  assert.doesNotMatch(JSON.stringify(loggedError(error)), /hunter2/)
})
