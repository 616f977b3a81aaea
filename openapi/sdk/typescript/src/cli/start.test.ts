import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { generation, ID, json, model, problem } from '../testing/answers.ts'
import { runCommand } from '../testing/run-command.ts'
import { servePictures } from '../testing/serve-pictures.ts'
import { type Answer, type SeenRequest, type StandIn, startStandIn } from '../testing/stand-in.ts'

const accepted = json(202, generation('queued'))

describe('nextscale', () => {
  let cwd: string
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'nextscale-cli-'))
  })
  after(() => rm(cwd, { recursive: true }))
  const nextscale = (args: string[], env: Record<string, string> = {}) => runCommand(args, { cwd, env })

  const posted = ({ seen }: StandIn) => seen.find(({ method }) => method === 'POST')
  const bodyOf = (request: SeenRequest | undefined) => JSON.parse(request?.body ?? '') as unknown

  it('generate saves the picture and asks for what was said, and nothing else', async () => {
    await using server = await servePictures(1)
    const args = [
      'generate',
      'fox',
      '-o',
      'fox.webp',
      '--seed',
      '7',
      '--cfg',
      '1.5',
      '--top-k',
      '9',
      '--top-p',
      '0.9',
      '--draft',
      '4'
    ]
    assert.deepEqual(await nextscale([...args, '--model', 'm', '--url', server.url]), {
      code: 0,
      stdout: 'fox.webp\n',
      stderr: ''
    })
    assert.equal(await readFile(join(cwd, 'fox.webp'), 'utf8'), 'picture')
    assert.deepEqual(bodyOf(posted(server)), {
      class_name: 'fox',
      model: 'm',
      seed: 7,
      cfg: 1.5,
      top_k: 9,
      top_p: 0.9,
      stop_at_scale: 4,
      output: { format: 'webp' }
    })
  })

  it('generate numbers several pictures, and takes a label for a class', async () => {
    await using server = await servePictures(2)
    await mkdir(join(cwd, 'several'))
    const { code, stdout } = await nextscale(['generate', '12', '-o', 'several/fox.png', '--num-images', '2'], {
      NEXTSCALE_URL: server.url
    })
    assert.deepEqual([code, stdout], [0, 'several/fox-0.png\nseveral/fox-1.png\n'])
    assert.deepEqual(await readdir(join(cwd, 'several')), ['fox-0.png', 'fox-1.png'])
    assert.deepEqual(bodyOf(posted(server)), { class_label: 12, num_images: 2, output: { format: 'png' } })
  })

  it('generate takes its words for a prompt where the model takes one, and for a class where it takes that', async () => {
    const asked = async (takes: readonly string[], ...args: string[]) => {
      await using server = await servePictures(1, { takes })
      const { code, stderr } = await nextscale(['generate', ...args, '--url', server.url])
      assert.equal(code, 0, stderr)
      return { body: bodyOf(posted(server)), paths: server.seen.map(({ url }) => url) }
    }
    const painter = ['prompt', 'negative_prompt', 'size']
    assert.deepEqual((await asked(painter, 'a', 'red', 'fox')).body, { prompt: 'a red fox' })
    assert.deepEqual((await asked(painter, '12')).body, { prompt: '12' })
    const named = await asked(painter, 'a red fox', '--model', 'm', '--size', '24x16', '--negative-prompt', 'text')
    assert.deepEqual(named.body, { prompt: 'a red fox', model: 'm', size: '24x16', negative_prompt: 'text' })
    assert.equal(named.paths[0], '/v1/models/m')
    assert.deepEqual((await asked(['class_name'], 'fox')).body, { class_name: 'fox' })
    // What is said outright needs no look at the model.
    const outright = await asked(painter, '--prompt', 'a fox', '--class', '3')
    assert.deepEqual([outright.body, outright.paths[0]], [{ prompt: 'a fox', class_label: 3 }, '/v1/generate'])
  })

  it('generate asks for a class where it may not read the model', async () => {
    const ended = json(200, generation('succeeded'))
    await using server = await startStandIn(problem(403, 'missing_scope'), json(202, generation('queued')), ended)
    await nextscale(['generate', 'fox', '--url', server.url])
    assert.deepEqual(bodyOf(posted(server)), { class_name: 'fox' })
  })

  it('models lists what each takes', async () => {
    const sizes = [
      { width: 24, height: 16 },
      { width: 16, height: 24 }
    ]
    const data = [model('emoji-32', ['class_name', 'cfg']), model('painter', ['prompt', 'size'], { family: 'painting', sizes })]
    await using server = await startStandIn(json(200, { data }))
    const lines = ['emoji-32  var  32x32  class_name, cfg', 'painter  painting  24x16, 16x24  prompt, size']
    assert.equal((await nextscale(['models', '--url', server.url])).stdout, `${lines.join('\n')}\n`)
    assert.deepEqual(JSON.parse((await nextscale(['models', '--json', '--url', server.url])).stdout), data)
  })

  it('list and get say what was asked for, whatever the family', async () => {
    const asked = (input: object) =>
      generation('succeeded', { model: 'm', created_at: '2026-01-01', input: { seed: 7, ...input } })
    const subjects: [object, string][] = [
      [{ class_name: 'fox', class_label: 2, prompt: null }, 'fox'],
      [{ class_name: null, class_label: 3 }, '3'],
      [{ class_name: null, class_label: null, prompt: null, size: null }, 'unconditional'],
      [{ class_name: null, class_label: null, prompt: 'a red fox', size: '24x16' }, '"a red fox"  24x16'],
      [{ class_name: null, class_label: null, prompt: '🦊'.repeat(80) }, `"${'🦊'.repeat(59)}…"`]
    ]
    await using server = await startStandIn(json(200, { data: subjects.map(([input]) => asked(input)), next_cursor: null }))
    const lines = subjects.map(([, said]) => `${ID}  succeeded  2026-01-01  m  ${said}  seed 7\n`)
    assert.equal((await nextscale(['list', '--url', server.url])).stdout, lines.join(''))
  })

  it('generate prints links without -o, and the generation with --json', async () => {
    await using server = await servePictures(1)
    assert.equal((await nextscale(['generate', '--url', server.url])).stdout, `${server.url}/0.png\n`)
    await using again = await servePictures(1)
    const { stdout } = await nextscale(['generate', '--json', '--url', again.url])
    assert.equal((JSON.parse(stdout) as { id: string }).id, ID)
  })

  it('--watch asks for no previews and shows no bar where there is no terminal', async () => {
    await using server = await servePictures(1)
    const { stderr } = await nextscale(['generate', '--watch', '--url', server.url], { TERM: 'xterm-kitty' })
    assert.equal(stderr, '')
    assert.deepEqual(bodyOf(server.seen[0]), {})
  })

  it('continue goes on to the last scale, or keeps scales', async () => {
    await using server = await servePictures(1)
    assert.equal((await nextscale(['continue', ID, '-o', 'full.png', '--url', server.url])).stdout, 'full.png\n')
    const asked = server.seen.find(({ method }) => method === 'POST')
    assert.equal(asked?.url, `/v1/generations/${ID}/continue`)
    assert.deepEqual(bodyOf(asked), { stop_at_scale: null, output: { format: 'png' } })
    await using varied = await servePictures(1)
    await nextscale(['continue', ID, '--keep-scales', '3', '--seed', '8', '--url', varied.url])
    assert.deepEqual(bodyOf(varied.seen[0]), { keep_scales: 3, seed: 8 })
  })

  for (const early of [true, false]) {
    it(`Ctrl-C ${early ? 'before' : 'after'} the request is accepted cancels it and exits 130`, async () => {
      let interrupt = (): void => undefined
      const slowly: Answer = (response, request) => {
        if (early) interrupt()
        setTimeout(() => accepted(response, request), early ? 300 : 0)
      }
      const open: Answer = (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n')
        interrupt()
      }
      const canceled = json(200, generation('canceled'))
      await using server = early ? await startStandIn(slowly, canceled) : await startStandIn(slowly, open, canceled)
      const ended = await runCommand(['generate', '--url', server.url], {
        cwd,
        // Twice, as a launcher passes on what the terminal has sent already.
        started: (child) => (interrupt = () => void (child.kill('SIGINT') && child.kill('SIGINT')))
      })
      assert.deepEqual(ended, { code: 130, stdout: '', stderr: `Generation ${ID} is canceled.\n` })
      assert.equal(server.seen.at(-1)?.url, `/v1/generations/${ID}/cancel`)
    })
  }

  const refusals: [name: string, args: string[], answer: Answer, code: number, line: string][] = [
    [
      'a class there is not',
      ['generate', 'foks'],
      problem(422, 'unknown_class', { detail: 'There is no "foks". Did you mean "fox"?' }),
      1,
      'nextscale: There is no "foks". Did you mean "fox"? --seed: x\n'
    ],
    [
      'a missing key',
      ['list'],
      problem(401, 'unauthorized', {
        detail:
          'This server asks for an API key. Send it as `Authorization: Bearer ns_…`; `nextscale keys create` on the server makes one.'
      }),
      1,
      'nextscale: This server asks for an API key. `nextscale keys create` on the server makes one. Give a key with --api-key or NEXTSCALE_API_KEY; `npm start` keeps that of a server on this machine in .nextscale/api-key.\n'
    ],
    [
      'a wrong key',
      ['list'],
      problem(401, 'unauthorized', { detail: 'The key is not known.' }),
      1,
      'nextscale: The key is not known. Give a key with --api-key or NEXTSCALE_API_KEY; `npm start` keeps that of a server on this machine in .nextscale/api-key.\n'
    ],
    ['a number that is none', ['generate', '--seed', 'x'], accepted, 2, 'nextscale: --seed is "x"; give a number.\n'],
    [
      'a format there is not',
      ['generate', '--format', 'gif'],
      accepted,
      2,
      'nextscale: --format is "gif"; give png, webp or jpeg.\n'
    ],
    ['a missing id', ['get'], accepted, 2, 'nextscale: An argument is missing. Usage: nextscale get ID [-o FILE]\n'],
    ['an empty id', ['get', ''], accepted, 2, 'nextscale: An argument is empty. Usage: nextscale get ID [-o FILE]\n'],
    [
      'a key that is none',
      ['list', '--api-key', 'a b'],
      accepted,
      2,
      'nextscale: --api-key (or NEXTSCALE_API_KEY) has characters that no key has; give it as `nextscale keys create` prints it.\n'
    ],
    [
      'an address that is none',
      ['list', '--url', 'localhost'],
      accepted,
      2,
      'nextscale: The server\'s URL is "localhost"; give a whole one, for example http://localhost:8080.\n'
    ],
    [
      'a class of two words',
      ['generate', 'ice', 'cream'],
      json(200, { data: [model('m', ['class_name'])] }),
      2,
      'nextscale: Put quotes around the class: nextscale generate "ice cream"\n'
    ],
    [
      'words said twice',
      ['generate', 'fox', '--prompt', 'a fox'],
      accepted,
      2,
      'nextscale: What to draw is said twice: as words, and by --prompt. Leave one of them out.\n'
    ],
    [
      'a prompt for a model of classes',
      ['generate', '--prompt', 'a fox'],
      problem(422, 'unsupported_for_model', {
        detail: 'm takes no prompt; it takes class_label, class_name, cfg. Leave prompt out, or send null.'
      }),
      1,
      'nextscale: m takes no prompt; it takes CLASS, cfg. Leave prompt out, or send null. --seed: x\n'
    ],
    [
      'too many ids',
      ['cancel', 'a', 'b'],
      accepted,
      2,
      'nextscale: There are 2 arguments besides options, and 1 can be taken: put quotes around one that has spaces. Usage: nextscale cancel ID\n'
    ],
    [
      'a value left out',
      ['generate', '--seed', '--watch'],
      accepted,
      2,
      'nextscale: --seed needs a value. Usage: nextscale generate [WORDS] [-o FILE] [options]\n'
    ],
    [
      'a value too much',
      ['generate', '--watch=yes'],
      accepted,
      2,
      "nextscale: Option '--watch' does not take an argument. Usage: nextscale generate [WORDS] [-o FILE] [options]\n"
    ],
    ...['0', '-1', '2.5'].map((limit): [string, string[], Answer, number, string] => [
      `a limit of ${limit}`,
      ['list', '--limit', limit],
      accepted,
      2,
      `nextscale: --limit is "${limit}"; give a whole number from 1.\n`
    ]),
    [
      'an option there is not',
      ['list', '--colour'],
      accepted,
      2,
      "nextscale: Unknown option '--colour'. Usage: nextscale list [--limit N] [--status STATUS] [--model ID] [--label TEXT]\n"
    ],
    [
      'a seed out of range',
      ['generate', '--seed', '-1'],
      problem(400, 'invalid_request', { detail: '/seed: Must be at least 0, not -1. Leave it out for a random one.' }),
      1,
      'nextscale: --seed: Must be at least 0, not -1. Leave it out for a random one. --seed: x\n'
    ],
    [
      'a number without end',
      ['generate', '--seed', 'Infinity'],
      accepted,
      2,
      'nextscale: --seed is "Infinity"; give a number.\n'
    ],
    [
      'a command there is not',
      ['generte'],
      accepted,
      2,
      'nextscale: There is no "generte": the commands are generate, continue, get, cancel, delete, list, models, classes, status, webhooks.\n'
    ]
  ]
  for (const [name, args, answer, code, line] of refusals) {
    it(`says in one line what to do about ${name}`, async () => {
      await using server = await startStandIn(answer)
      const ended = await nextscale(args, { NEXTSCALE_URL: server.url })
      assert.equal(ended.code, code)
      assert.equal(ended.stderr, line)
      assert.equal(ended.stdout, '')
    })
  }

  it('says a field at fault once', async () => {
    await using server = await startStandIn(problem(400, 'invalid_request', { detail: '/seed: x' }))
    assert.equal((await nextscale(['generate', '--url', server.url])).stderr, 'nextscale: --seed: x.\n')
  })

  it('says why it waits for another attempt', async () => {
    const detail = 'The API key may make 2 requests a minute. The next is taken in 2 s.'
    const refusal = problem(429, 'rate_limited', { retryable: true, headers: { 'retry-after': '2' }, detail })
    await using server = await startStandIn(refusal, json(200, { data: [], next_cursor: null }))
    const { code, stderr } = await nextscale(['list', '--json', '--url', server.url])
    assert.deepEqual([code, stderr], [0, `nextscale: ${detail} Trying again in 2 s; Ctrl-C gives up.\n`])
  })

  it('says in one line that there is no server', async () => {
    const server = await startStandIn(accepted)
    await server[Symbol.asyncDispose]()
    const { code, stderr } = await nextscale(['list', '--url', server.url])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^nextscale: http:\S+ cannot be reached: .*ECONNREFUSED.*\. Start it with `npm start`, or name another .*\n$/
    )
  })
})
