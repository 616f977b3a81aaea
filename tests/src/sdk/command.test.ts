import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { type Deployment, deploy } from '../support/deployment.ts'
import { startProcess } from '../support/process.ts'
import { startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

const START = fileURLToPath(new URL('../../../scripts/nextscale.mjs', import.meta.url))

describe('nextscale, the command', () => {
  let service: Deployment
  let folder: string
  before(async () => {
    service = await deploy({ env: { EGRESS: 'any' } })
    folder = await mkdtemp(join(tmpdir(), 'nextscale-command-'))
  })
  after(async () => {
    await service.close()
    await rm(folder, { recursive: true })
  })

  const start = (...args: string[]) =>
    startProcess(process.execPath, [START, ...args], { NEXTSCALE_URL: service.baseUrl, NEXTSCALE_HOME: folder, CI: '1' })
  const nextscale = async (...args: string[]): Promise<string> => {
    const started = start(...args)
    await until(`nextscale ${args.join(' ')} ends`, async () => !started.isRunning(), 60_000)
    return started.output()
  }

  it('generate saves pictures in the format of their names', async () => {
    const path = join(folder, 'fox.webp')
    assert.equal(
      await nextscale('generate', 'fox', '-o', path, '--num-images', '2', '--seed', '7'),
      `${folder}/fox-0.webp\n${folder}/fox-1.webp\n`
    )
    assert.deepEqual(await readdir(folder), ['fox-0.webp', 'fox-1.webp'])
    for (const name of await readdir(folder)) {
      assert.equal((await sharp(join(folder, name)).metadata()).format, 'webp')
      assert.ok((await stat(join(folder, name))).size > 0)
    }
  })

  it('classes, list, get and delete show what there is', async () => {
    assert.match(await nextscale('classes', 'fox'), /^ +\d+ {2}fox\n$/)
    const [, id = ''] = /^(gen_[a-z2-7]{26}) {2}succeeded/.exec(await nextscale('list', '--limit', '1')) ?? []
    assert.match(await nextscale('get', id), new RegExp(`^${id} .*\nhttp://`))
    assert.equal(await nextscale('delete', id), `${id} is deleted.\n`)
    assert.match(await nextscale('get', id), /^nextscale: .*\n$/)
  })

  it('puts what is refused in its own words', async () => {
    const refused: [args: string[], sentence: RegExp][] = [
      [['generate', 'fox', '--seed', '-1'], /^nextscale: --seed: Must be at least 0, not -1\./],
      [['generate', 'fox', '--num-images', '99'], /^nextscale: --num-images: Must be at most 16, not 99\./],
      [['generate', 'fox', '--schedule', 'cfg=1'], /^nextscale: --schedule: /],
      [['generate', 'fox', '--draft', '99'], /: --draft may be 0 to /],
      [['list', '--status', 'finished'], /^nextscale: --status: Must be one of /],
      [['get', 'gen_x'], /not an id this server issues/],
      [['generate', 'qqqq'], /nextscale classes searches them\./],
      [['get', `gen_${'a'.repeat(26)}`], /nextscale list lists those there are\./]
    ]
    for (const [args, sentence] of refused) {
      const said = await nextscale(...args)
      assert.match(said, sentence)
      assert.doesNotMatch(said, /\/v1\/|\/query|\n./)
    }
  })

  it('status shows the capacity, and makes of every option a field that the server takes', async () => {
    assert.match(await nextscale('status'), /^server .*, takes requests\nqueue .*\nrunners  1\nmodel    emoji-32, 1 runner/)
    const options =
      '--cfg 1 --top-k 9 --top-p 0.9 --format jpg --quality 80 --no-picture-metadata --previews 1,2 --return-tokens --priority high --deadline 60 --start-deadline 30 --retention 3600 --label all --metadata order=42 --idempotency-key all --webhook http://127.0.0.1:9/ --webhook-events generation.failed --json'
    const made = await nextscale('generate', 'fox', ...options.split(' '))
    assert.match(made, /^\{/)
    const { input, label, metadata, webhook } = JSON.parse(made) as Record<string, Record<string, unknown>>
    assert.deepEqual([label, metadata, webhook?.['events']], ['all', { order: '42' }, ['generation.failed']])
    assert.deepEqual([input?.['priority'], input?.['previews']], ['high', [1, 2]])
    assert.equal(
      (await nextscale('generate', 'fox', ...options.split(' '))).includes((JSON.parse(made) as { id: string }).id),
      true
    )
  })

  it(
    '--watch shows each preview as half blocks in a terminal that has colour',
    { skip: process.platform !== 'linux' },
    async () => {
      const line = `${process.execPath} ${START} generate fox --watch --url ${service.baseUrl} -o ${join(folder, 'watched.png')}`
      const shown = async (env: Record<string, string>): Promise<string> => {
        const started = startProcess('script', ['-qec', line, '/dev/null'], { NEXTSCALE_HOME: folder, CI: '1', ...env })
        await until('it is watched', async () => !started.isRunning(), 60_000)
        return started.output()
      }
      const lines = (await shown({ TERM: 'xterm-256color' })).split('\n').filter((each) => each.includes('▀'))
      assert.equal(lines.length, 3 * 16)
      for (const each of lines) assert.equal(each.match(/38;5;\d+;48;5;\d+m▀/g)?.length, 32)
      assert.match(await shown({ TERM: 'xterm', COLORTERM: 'truecolor' }), /38;2;\d+;\d+;\d+;48;2;/)
      const plain = await shown({ TERM: 'xterm-256color', NO_COLOR: '1' })
      assert.doesNotMatch(plain, /▀/)
      assert.match(plain, /watched\.png/)
    }
  )

  it('suggests classes when there is none of the name', async () => {
    assert.match(await nextscale('generate', 'foks'), /^nextscale: .*fox.*\n$/)
  })

  it('Ctrl-C cancels what was asked for', async () => {
    await service.runner().end()
    const started = start('generate', 'fox')
    const listed = async () =>
      (await service.client.send('get', '/v1/generations?status=queued')).body as { data: { id: string }[] }
    const { id } = await until('it is accepted', async () => (await listed()).data[0])
    await started.end('SIGINT')
    assert.equal(started.output(), `Generation ${id} is canceled.\n`)
    assert.equal((await service.client.read(id)).status, 'canceled')
    await service.startRunner()
  })

  it('webhooks shows what a receiver answers, and sends it again', async (context) => {
    const secret = (await nextscale('webhooks', 'secret')).trim()
    const receiver = await startReceiver('python', { secrets: [secret], nextscaleUrl: service.baseUrl })
    context.after(() => receiver.close())
    const [, id = ''] =
      /^(whd_[a-z2-7]{26}) {2}delivered .*  1x {2}204 in \d+ ms\n$/.exec(await nextscale('webhooks', 'test', receiver.url)) ?? []
    await receiver.printed(`took ${id} webhook.test`)
    assert.match(await nextscale('webhooks', 'deliveries', '--status', 'delivered', '--limit', '1'), new RegExp(`^${id} .*\n$`))
    assert.match(await nextscale('webhooks', 'redeliver', id), / {2}2x {2}204 in \d+ ms\n$/)
    await receiver.printed(`had ${id} webhook.test`)
  })

  it('continue takes a draft to full size', async () => {
    const draft = JSON.parse(await nextscale('generate', 'fox', '--draft', '2', '--json')) as { id: string }
    const path = join(folder, 'full.png')
    assert.equal(await nextscale('continue', draft.id, '-o', path), `${path}\n`)
    assert.equal((await sharp(path).metadata()).format, 'png')
  })
})
