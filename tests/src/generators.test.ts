import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import sharp from 'sharp'
import { createClient } from './support/client.ts'
import { createKey } from './support/create-key.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { GENERATED_CLIENTS, makeClient } from './support/generated-clients.ts'
import { installGenerators, type RunTool } from './support/generator-tools.ts'

const SCALES = 7

describe('the client that others generate with', { concurrency: 2 }, () => {
  let deployment: Deployment
  let folder: string
  let run: RunTool
  let key: string
  /** A generation in which whatever may be null is not. */
  let full: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nextscale-generators-'))
    ;[run, deployment] = await Promise.all([installGenerators(), deploy()])
    key = await createKey(deployment, 'generate,read')
    const client = createClient(deployment.baseUrl, key)
    const draft = await client.generate({ class_name: 'fox', stop_at_scale: 3, schedule: { cfg: Array(SCALES).fill(2) } })
    await client.finish(draft.id)
    const body = { keep_scales: 2, seed: 1, previews: 'auto', start_deadline_seconds: 60, label: 'full' }
    const answer = await client.send('post', `/v1/generations/${draft.id}/continue`, (test) => test.send(body))
    full = String(answer.body.id)
    await client.finish(full)
  })

  after(async () => {
    await deployment.close()
    await rm(folder, { recursive: true })
  })

  for (const client of GENERATED_CLIENTS) {
    it(`${client.name} compiles, and makes a picture`, async () => {
      const use = await makeClient(client, run, folder)
      const { url, ...told } = (await use(`${deployment.baseUrl}/v1`, key, full)) as { url: string }
      const year = new Date().getFullYear()
      assert.deepEqual(told, { status: 'succeeded', none: null, year, kept: 2, cfg: Array(SCALES).fill(2) })
      const { format, width } = await sharp(await deployment.client.fetchPicture(url)).metadata()
      assert.deepEqual([format, width], ['png', 32])
    })
  }
})
