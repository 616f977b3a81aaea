import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readConfig } from './config.ts'
import { progressLine } from './progress-line.ts'
import { openTerminal } from './terminal.ts'

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, ...new Uint8Array(4000)])

const terminal = (protocol: 'kitty' | 'iterm2' | undefined, isTTY = true) => {
  const written: string[] = []
  return { written, opened: openTerminal({ isTTY, write: (text) => written.push(text) }, protocol) }
}

const printable = (written: string[]) => written.join('').replaceAll('\u001B', '<ESC>').replaceAll('\u0007', '<BEL>')

describe('a terminal', () => {
  it('gets pictures by the kitty protocol, in pieces of 4096', async () => {
    const { written, opened } = terminal('kitty')
    await opened.showImage(PNG)
    const pieces = [...printable(written).matchAll(/<ESC>_G([^;]*);([^<]*)<ESC>\\/g)]
    assert.deepEqual(
      pieces.map(([, keys]) => keys),
      ['a=T,f=100,q=2,r=8,m=1', 'm=0']
    )
    assert.ok(pieces.every(([, , data = '']) => data.length <= 4096))
    assert.deepEqual(new Uint8Array(Buffer.from(pieces.map(([, , data]) => data).join(''), 'base64')), PNG)
  })

  it('gets pictures by the protocol of iTerm2', async () => {
    const { written, opened } = terminal('iterm2')
    await opened.showImage(PNG)
    const [, data] =
      /<ESC>\]1337;File=inline=1;size=4004;height=8;preserveAspectRatio=1:([^<]*)<BEL>/.exec(printable(written)) ?? []
    assert.deepEqual(new Uint8Array(Buffer.from(data ?? '', 'base64')), PNG)
  })

  it('gets a bar alone where it shows no pictures', async () => {
    const { written, opened } = terminal(undefined)
    await opened.showImage(PNG)
    opened.status('bar')
    assert.deepEqual([written, opened.canShowImages], [['\r\u001B[2Kbar'], false])
  })

  it('is no terminal when output goes to a file', async () => {
    const { written, opened } = terminal('kitty', false)
    await opened.showImage(PNG)
    opened.status('bar')
    opened.clear()
    assert.deepEqual([written, opened.canShowImages], [[], false])
  })

  it('is known by its environment', () => {
    const protocol = (env: Record<string, string>) => readConfig({}, env).imageProtocol
    assert.equal(protocol({ KITTY_WINDOW_ID: '1' }), 'kitty')
    assert.equal(protocol({ TERM_PROGRAM: 'iTerm.app' }), 'iterm2')
    assert.equal(protocol({ TERM_PROGRAM: 'Apple_Terminal' }), undefined)
    assert.equal(protocol({ KITTY_WINDOW_ID: '1', TMUX: '/tmp/x' }), undefined)
  })
})

describe('the bar', () => {
  const line = (tokens: number, scale: number) => progressLine({ tokens, scale, scales: 6, tokens_total: 96 })
  it('is as long as the tokens drawn', () => {
    assert.equal(line(0, 0), '░░░░░░░░░░░░░░░░░░░░░░░░ scale 0 of 6')
    assert.equal(line(48, 4), '████████████░░░░░░░░░░░░ scale 4 of 6')
    assert.equal(line(96, 6), '████████████████████████ scale 6 of 6')
  })
})
