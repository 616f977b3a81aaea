import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { underSignal } from './under-signal.ts'

const never = new AbortController().signal
const response = () => new ServerResponse(new IncomingMessage(new Socket()))
const isAborted = async (signal: AbortSignal) => signal.aborted

test('work for a client that has gone, or in a server that is closing, is ended from the start', async () => {
  const raw = response()
  assert.equal(await underSignal({ raw }, never, isAborted), false)
  assert.equal(await underSignal({ raw }, AbortSignal.abort(), isAborted), true)
  raw.destroy()
  assert.equal(await underSignal({ raw }, never, isAborted), true)
})

test('a client that goes ends its work, and nothing is listened for afterwards', async () => {
  const raw = response()
  const before = raw.listenerCount('close')
  const ended = underSignal({ raw }, never, (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)))
  raw.destroy()
  await ended
  assert.equal(raw.listenerCount('close'), before)
})
