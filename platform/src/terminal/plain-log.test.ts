import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainLog, plainLogLine } from './plain-log.ts'

describe('a line of a log', () => {
  it('is the same JSON, with nothing in its texts that a terminal obeys', () => {
    const texts = [
      '\u001b]0;title\u0007a',
      '\u009b31mb\u007f',
      '\u202ec',
      '\r\b\f\u0000d',
      'tab\tline\nend',
      String.raw`\u001b "\r" é 🦊`
    ]
    const plain = [' ]0;title a', ' 31mb ', ' c', '    d', 'tab\tline\nend', String.raw`\u001b "\r" é 🦊`]
    assert.deepEqual(JSON.parse(plainLogLine(JSON.stringify({ texts, level: 30 }))), { texts: plain, level: 30 })
    assert.deepEqual(JSON.parse(plainLogLine(String.raw`["\u009d\u007F\u001B\u000A"]`)), ['   \n'])
  })

  it('is cleaned before it is shown', () => {
    const shown: string[] = []
    plainLog({ write: (line) => shown.push(line) }).write('{"msg":"\\u001b[2J"}\n')
    assert.deepEqual(shown, ['{"msg":" [2J"}\n'])
  })
})
