import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { ID } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { servePictures } from '../testing/serve-pictures.ts'

const cwd = tmpdir()

/** The body of what is asked for, and its Idempotency-Key. */
const ask = async (...args: string[]) => {
  await using server = await servePictures(1)
  const { code, stderr } = await runCommand([...args, '--url', server.url], { cwd })
  assert.deepEqual([code, stderr], [0, ''])
  const asked = server.seen.find(({ method }) => method === 'POST')
  return { body: JSON.parse(asked?.body ?? '') as object, key: asked?.headers['idempotency-key'] }
}

const COMMON = [
  '--seed 7 --draft 4 --format webp --quality 80 --no-picture-metadata --previews 1,3 --return-tokens --priority high',
  '--deadline 60 --start-deadline 30 --retention 3600 --label mine --metadata order=4=2 --metadata empty=',
  '--webhook https://hooks.example.com/ --webhook-events generation.succeeded,generation.failed --idempotency-key once'
].flatMap((line) => line.split(' '))
const COMMON_FIELDS = {
  seed: 7,
  stop_at_scale: 4,
  output: { format: 'webp', quality: 80, metadata: false },
  previews: [1, 3],
  return_tokens: true,
  priority: 'high',
  deadline_seconds: 60,
  start_deadline_seconds: 30,
  retention_seconds: 3600,
  label: 'mine',
  metadata: { order: '4=2', empty: '' },
  webhook: { url: 'https://hooks.example.com/', events: ['generation.succeeded', 'generation.failed'] }
}

const document = new URL('../../../../openapi.json', import.meta.url)
const fieldsOf = async (schema: string): Promise<string[]> => {
  const { components } = JSON.parse(await readFile(document, 'utf8')) as {
    components: { schemas: Record<string, { properties: object }> }
  }
  return Object.keys(components.schemas[schema]?.properties ?? {})
}

describe('the options of a request', () => {
  it('say every field that generate takes', async () => {
    const own =
      '--model m --num-images 1 --prompt p --negative-prompt n --size 24x16 --cfg 1.5 --top-k 9 --top-p .9 --smooth --schedule cfg=0,1,2.5 --schedule class=none,3 --schedule top-k=1,2 --schedule top-p=1,0.5'
    const { body, key } = await ask('generate', '--class', 'fox', ...own.split(' '), ...COMMON)
    const fields = {
      model: 'm',
      class_name: 'fox',
      num_images: 1,
      prompt: 'p',
      negative_prompt: 'n',
      size: '24x16',
      cfg: 1.5,
      top_k: 9,
      top_p: 0.9,
      smooth: true,
      schedule: { cfg: [0, 1, 2.5], class_label: [null, 3], top_k: [1, 2], top_p: [1, 0.5] },
      ...COMMON_FIELDS
    }
    assert.deepEqual([body, key], [fields, 'once'])
    assert.deepEqual(Object.keys(fields.schedule).toSorted(), (await fieldsOf('GenerateRequestSchedule')).toSorted())
    // The one that is left: a label is said in place of a name.
    assert.deepEqual((await ask('generate', '--class', '12')).body, { class_label: 12 })
    const said = [...Object.keys(fields), 'class_label']
    assert.deepEqual(said.toSorted(), (await fieldsOf('GenerateRequest')).toSorted())
  })

  it('say every field that continue takes', async () => {
    const { body, key } = await ask('continue', ID, '--keep-scales', '3', ...COMMON)
    const fields = { keep_scales: 3, ...COMMON_FIELDS }
    assert.deepEqual([body, key], [fields, 'once'])
    assert.deepEqual(Object.keys(fields).toSorted(), (await fieldsOf('ContinueRequest')).toSorted())
  })

  it('take off what the generation before has, and the whole range of numbers', async () => {
    assert.deepEqual((await ask('continue', ID, '--start-deadline', 'none', '--previews', 'none')).body, {
      stop_at_scale: null,
      start_deadline_seconds: null,
      previews: 'none'
    })
    assert.deepEqual((await ask('generate', '--seed', '-1', '--cfg', '-.5', '--top-k=-2', '--label', 'x-')).body, {
      seed: -1,
      cfg: -0.5,
      top_k: -2,
      label: 'x-'
    })
  })

  const wrong: [args: string[], line: string][] = [
    [['--previews', 'all'], '--previews is "all"; give none, auto, or scales separated by commas such as 2,4.'],
    [['--metadata', 'order'], '--metadata is "order"; give a name and a text, such as order=42.'],
    [['--webhook-events', 'generation.failed'], '--webhook-events needs --webhook: where is it announced?'],
    [
      ['--schedule', 'seed=1'],
      '--schedule is "seed=1"; give cfg, top-k, top-p, class and a value for each scale, such as cfg=0,1,2.'
    ],
    [['--schedule', 'cfg=1,none'], '--schedule is "cfg=1,none"; "none" is no number.'],
    [['--deadline', '1m'], '--deadline is "1m"; give a number.'],
    [['--quality', ''], '--quality is ""; give a number.']
  ]
  for (const [args, line] of wrong) {
    it(`are refused where they cannot be read: ${args.join(' ')}`, async () => {
      const ended = await runCommand(['generate', ...args, '--url', 'http://127.0.0.1:9'], { cwd })
      assert.deepEqual(ended, { code: 2, stdout: '', stderr: `nextscale: ${line}\n` })
    })
  }
})
