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
    startProcess(process.execPath, [START, ...args], { NEXTSCALE_URL: service.baseUrl, CI: '1' })
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
