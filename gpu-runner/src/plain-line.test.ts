import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from './cli/command.ts'
import { ModelError } from './errors.ts'
import { plainLine } from './plain-line.ts'

/** Colours, a window's title, the clipboard in 8-bit form, line breaks of every kind, and marks that turn the writing. */
const HOSTILE = [
  '\u001b[31m\u001b[2J',
  '\u001b]0;title\u0007',
  '\u009d52;c;aGk=\u009c',
  'a\nb\r\nc\u0085d\u2028e\u2029f',
  '\u202egnp.exe\u2066\u200f',
  '\ud800\u0000\ufeff'
].join('x')

test('nothing in a line is obeyed by a terminal, and the rest of it is shown', () => {
  const line = plainLine(`é 中 🦊 ${HOSTILE}`)
  assert.match(line, /^é 中 🦊 [^\p{C}\p{Zl}\p{Zp}]*$/u)
  assert.match(line, /\[31m +\[2J.*title.*52;c;aGk=.*a b  c d e f.*gnp\.exe/)
})

test('a line that is too long loses its middle', () => {
  assert.match(plainLine(`x.pth: tensor ${'n'.repeat(2 ** 20)} is missing.`), /^x\.pth: tensor n+ … n+ is missing\.$/)
  assert.ok(plainLine('n'.repeat(2 ** 20)).length < 1_100)
  assert.equal(plainLine('a  b'), 'a  b')
})

test('errors for people are plain from the moment they are made', () => {
  assert.equal(new ModelError(HOSTILE).message, plainLine(HOSTILE))
  assert.equal(new CommandError(HOSTILE, 'b').message, `${plainLine(HOSTILE)}\nb`)
})
