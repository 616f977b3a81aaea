import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Nextscale } from '../client.ts'
import type { GenerationEvent } from '../generated/contract.ts'
import { end, generation, json, problem, progress, snapshot, stream } from '../testing/answers.ts'
import { type Answer, startStandIn } from '../testing/stand-in.ts'
import { make } from './make.ts'
import { type Output, openOutput } from './terminal/output.ts'
import { openTerminal } from './terminal/terminal.ts'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3])
const picture: Answer = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PNG)

/** Runs a watched generation that has one preview, and returns what a kitty terminal was sent. */
const watch = async (preview: Answer): Promise<{ written: string; said: string[] }> => {
  let base = ''
  const events: Answer = (response, request) => {
    const shown = { id: 'p', event: 'preview', data: { index: 0, scale: 2, url: `${base}/p.webp` } } as GenerationEvent
    stream([snapshot(), progress(3), shown, end('succeeded', { outputs: [{ index: 0, url: `${base}/0.png` }] })])(
      response,
      request
    )
  }
  await using server = await startStandIn(json(202, generation('queued')), events, preview)
  base = server.url
  const client = new Nextscale({ baseUrl: server.url, maxRetries: 0 })
  const written: string[] = []
  const terminal = openTerminal({ imageProtocol: 'kitty', canErase: true }, { isTTY: true, write: (text) => written.push(text) })
  const said: string[] = []
  const out: Output = { ...openOutput(), say: (line) => void said.push(line) }
  const signal = new AbortController().signal
  await make(
    { client, out, terminal, signal },
    { watch: true, count: async () => 1, ask: (more, options) => client.generate(more, options) }
  )
  assert.equal(server.seen[0]?.body, '{"previews":"auto"}')
  return { written: written.join(''), said }
}

describe('a watched generation', () => {
  it('shows its state, a bar and its previews, and leaves no bar behind', async () => {
    const { written, said } = await watch(picture)
    assert.match(written, /running.*scale 3 of 6/s)
    assert.ok(written.includes(`a=T,f=100,q=2,r=8,m=0;${PNG.toString('base64')}`))
    assert.ok(written.endsWith('\r\u001B[2K'))
    assert.match(said.join(), /0\.png$/)
  })

  it('ends well when a preview cannot be fetched', async () => {
    const { written, said } = await watch(problem(404, 'object_not_found'))
    assert.ok(!written.includes('a=T'))
    assert.match(said.join(), /0\.png$/)
  })
})
