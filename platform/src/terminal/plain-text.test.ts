import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { plainLine, plainText } from './plain-text.ts'

const CASES: [name: string, hostile: string, plain: string][] = [
  ['colours', 'a\u001b[1;31mred\u001b[0m b', 'ared b'],
  ['a cleared screen', '\u001b[2J\u001b[Hx', 'x'],
  ['a title', 'x\u001b]0;title\u0007y', 'xy'],
  ['a link, ended by ST', '\u001b]8;;http://evil\u001b\\here\u001b]8;;\u001b\\', 'here'],
  ['the clipboard, in 8-bit form', 'x\u009d52;c;aGk=\u009cy', 'xy'],
  ['colours in 8-bit form', '\u009b31mred', 'red'],
  ['a title without an end', 'x\u001b]0;title\ny', 'x\ny'],
  ['a reset', 'x\u001bcy', 'xy'],
  ['another character set', '\u001b(0x', 'x'],
  ['an escape alone', 'x\u001b', 'x '],
  ['a bell, a backspace, a carriage return and DEL', 'a\u0007b\bc\rd\u007fe', 'a b c d e'],
  ['every other C0 and C1', `a${String.fromCodePoint(0, 1, 11, 12, 14, 31, 128, 133, 140)}b`, `a${' '.repeat(9)}b`],
  ['writing turned round', 'a\u202egnp.exe\u202c\u2066b\u2069\u200f', 'a gnp.exe  b  ']
]

describe('text for a terminal', () => {
  for (const [name, hostile, plain] of CASES) it(`has no ${name}`, () => assert.equal(plainText(hostile), plain))

  it('keeps what is only shown', () => {
    const text = 'é 中 🦊 👨‍👩‍👧 [31m 100% ~\ttab\nline\n'
    assert.equal(plainText(text), text)
    assert.equal(plainText('a\r\nb'), 'a\nb')
  })
  it('is one line where it is part of one', () => assert.equal(plainLine('a\nb\r\nc\u2028d\te\u0085f'), 'a b c d e f'))
  it('is cleaned in time, however long', () => {
    const beganAt = performance.now()
    for (const piece of ['\u001b]', '\u001b[0', '\u001b', '\u0090', 'x']) plainText(piece.repeat(500_000))
    assert.ok(performance.now() - beganAt < 2000)
  })

  it('is cleaned by the client, which has no dependencies, in the same way', async () => {
    const ours = await readFile(join(import.meta.dirname, 'plain-text.ts'), 'utf8')
    const theirs = join(import.meta.dirname, '../../../openapi/sdk/typescript/src/cli/terminal/plain-text.ts')
    assert.equal(await readFile(theirs, 'utf8'), ours)
  })
})
