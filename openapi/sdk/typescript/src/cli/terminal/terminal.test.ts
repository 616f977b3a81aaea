import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import sharp from 'sharp'
import { readConfig } from '../config.ts'
import { progressLine } from '../progress-line.ts'
import type { ImageProtocol } from './show-image.ts'
import { openTerminal } from './terminal.ts'

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, ...new Uint8Array(4000)])

const terminal = (imageProtocol: ImageProtocol | undefined, { isTTY = true, columns = 80, canErase = true } = {}) => {
  const written: string[] = []
  return { written, opened: openTerminal({ imageProtocol, canErase }, { isTTY, columns, write: (text) => written.push(text) }) }
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

  const RED = [250, 0, 0] as const
  const GREY = [128, 128, 128] as const
  /** A preview as the service makes them: lossless here, to know its colours. */
  const preview = (width: number, height: number) => {
    const data = Buffer.from(Array.from({ length: width * height }, (_, at) => (at < width ? RED : GREY)).flat())
    return sharp(data, { raw: { width, height, channels: 3 } })
      .webp({ lossless: true })
      .toBuffer()
  }
  const cells = (count: number, codes: string) => `<ESC>[${codes}m▀`.repeat(count)

  it('gets pictures as half blocks in the colours it has', async () => {
    const picture = await preview(32, 32)
    const expected = (red: string, grey: string) => [
      `\r<ESC>[2K${cells(32, `38;${red};48;${grey}`)}<ESC>[0m`,
      ...Array.from({ length: 15 }, () => `${cells(32, `38;${grey};48;${grey}`)}<ESC>[0m`),
      ''
    ]
    const rich = terminal('truecolor')
    await rich.opened.showImage(picture)
    assert.deepEqual(printable(rich.written).split('\n'), expected('2;250;0;0', '2;128;128;128'))
    const poor = terminal('256')
    await poor.opened.showImage(picture)
    assert.deepEqual(printable(poor.written).split('\n'), expected('5;196', '5;244'))
    assert.ok(rich.opened.canShowImages && poor.opened.canShowImages)
  })

  it('gets half blocks that fit into it, also of pictures with an odd height', async () => {
    const { written, opened } = terminal('truecolor', { columns: 10 })
    await opened.showImage(await preview(256, 256))
    const rows = printable(written).split('\n')
    assert.deepEqual([rows.length, rows[1]?.match(/▀/g)?.length], [6, 10])
    const wide = terminal('truecolor', { columns: 3 })
    await wide.opened.showImage(await preview(3, 3))
    const grey = '38;2;128;128;128'
    assert.equal(printable(wide.written).split('\n')[1], `${cells(3, `${grey};49`)}<ESC>[0m`)
  })

  it('gets nothing for what is no picture', async () => {
    const { written, opened } = terminal('256')
    await opened.showImage(Buffer.from('no picture'))
    assert.deepEqual(written, [])
  })

  it('is not commanded by what the server says of the state', () => {
    const { written, opened } = terminal(undefined)
    opened.status('queued\u001B]0;title\u0007\n, 2 ahead')
    assert.deepEqual(written, ['\r\u001B[2Kqueued , 2 ahead'])
  })

  it('gets a bar alone where it shows no pictures', async () => {
    const { written, opened } = terminal(undefined)
    await opened.showImage(PNG)
    opened.status('bar')
    assert.deepEqual([written, opened.canShowImages], [['\r\u001B[2Kbar'], false])
  })

  it('is no terminal when output goes to a file', async () => {
    const { written, opened } = terminal('kitty', { isTTY: false })
    await opened.showImage(PNG)
    opened.status('bar')
    opened.clear()
    assert.deepEqual([written, opened.canShowImages], [[], false])
  })

  it('gets no more of a line than fits, and none twice', () => {
    const { written, opened } = terminal(undefined, { columns: 10 })
    for (const line of ['░░░░░░░░░░░░ scale', '░░░░░░░░░░░░ other', '█'.repeat(20)]) opened.status(line)
    opened.clear()
    opened.clear()
    const clear = '\r\u001B[2K'
    assert.deepEqual(written, [`${clear}░░░░░░░░░`, `${clear}█████████`, clear])
  })

  it('that cannot clear a line gets nothing', async () => {
    const { written, opened } = terminal('kitty', { canErase: false })
    await opened.showImage(PNG)
    opened.status('bar')
    opened.clear()
    assert.deepEqual([written, opened.canShowImages], [[], false])
    const canErase = (env: Record<string, string>) => readConfig({}, env, 'linux').canErase
    assert.deepEqual([{}, { TERM: '' }, { TERM: 'dumb' }, { TERM: 'vt100' }].map(canErase), [false, false, false, true])
  })

  it('is known by its environment', () => {
    const protocol = (env: Record<string, string>) => readConfig({}, env, 'linux').imageProtocol
    assert.equal(protocol({ KITTY_WINDOW_ID: '1' }), 'kitty')
    assert.equal(protocol({ TERM_PROGRAM: 'iTerm.app' }), 'iterm2')
    const color = { TERM: 'xterm-256color' }
    assert.equal(protocol({ ...color, TERM_PROGRAM: 'Apple_Terminal' }), '256')
    assert.equal(protocol({ ...color, KITTY_WINDOW_ID: '1', TMUX: '/tmp/x', COLORTERM: 'truecolor' }), 'truecolor')
    assert.equal(protocol({ TERM: 'screen', COLORTERM: '24bit' }), 'truecolor')
    assert.equal(protocol({ ...color, COLORTERM: 'yes' }), '256')
    for (const plain of [
      {},
      { TERM: '' },
      { TERM: 'dumb' },
      { TERM: 'vt100' },
      { ...color, NO_COLOR: '1', COLORTERM: 'truecolor' }
    ])
      assert.equal(protocol(plain), undefined)
    assert.equal(protocol({ ...color, NO_COLOR: '' }), '256')
    assert.equal(readConfig({}, {}, 'win32').imageProtocol, '256')
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
