import { pick, randomFrom } from './random.ts'

/** A request as bytes, each a character of its own (latin1). */
export interface HostileRequest {
  name: string
  bytes: string
}

/** What parsers trip over: nothing, separators alone, halves of quotes, names of prototypes, numbers that are none, other bytes, a lot. */
const TOKENS = [
  '',
  ' ',
  ',',
  ';',
  '=',
  '"',
  '""',
  '\\',
  '"\\',
  '*',
  '*/*',
  '%',
  '%00',
  '%ff',
  '%C3%28',
  '\t',
  '\x80',
  '\xff\xfe',
  '\xef\xbb\xbf',
  '\xf0\x9f\xa6\x8a',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '0x10',
  '-1',
  '9'.repeat(400),
  '1.'.repeat(200),
  '..',
  '/',
  '//',
  '?',
  '#',
  '[',
  '[::1]',
  '[',
  ':',
  '::',
  ':0',
  ':99999',
  '@',
  '<script>',
  '(((',
  'a'.repeat(6000),
  ','.repeat(6000),
  '"'.repeat(6000),
  ';q='.repeat(2000),
  '\\"'.repeat(3000),
  'a=b,'.repeat(1500)
]

/** Headers that this server, or what it is made of, reads; with values that are right. */
const HEADERS: Record<string, readonly string[]> = {
  Accept: ['image/png;q=0.5, application/json', 'image/*', 'text/event-stream'],
  Prefer: ['respond-async, wait=1; x="y"', 'wait'],
  'Last-Event-ID': ['7wxmmqta.2a.4.AQ.0.o'],
  'Idempotency-Key': ['a-key'],
  'If-None-Match': ['"abc", W/"def"', '*'],
  Authorization: ['Bearer ns_abcdefgh_abcdefghijklmnop', 'Basic YTpi'],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  tracestate: ['a=1,b@c=2'],
  'X-Forwarded-For': ['10.0.0.1, 127.0.0.1', '[::1]:80'],
  'X-Forwarded-Proto': ['https'],
  'X-Forwarded-Host': ['pictures.example:443'],
  Forwarded: ['for=10.0.0.1;proto=https;host=a'],
  Host: ['localhost:8080', '[::1]'],
  Range: ['bytes=0-1,2-', 'bytes=-5'],
  'If-Range': ['"abc"'],
  'If-Modified-Since': ['Wed, 21 Oct 2015 07:28:00 GMT'],
  'Content-Type': ['application/json; charset="utf-8"', 'multipart/form-data; boundary=x'],
  'Content-Encoding': ['identity', 'gzip'],
  Expect: ['100-continue'],
  Origin: ['https://app.example', 'null'],
  'Sec-Fetch-Site': ['cross-site'],
  'Access-Control-Request-Method': ['POST'],
  'Access-Control-Request-Headers': ['authorization, content-type'],
  'Transfer-Encoding': ['chunked'],
  Connection: ['keep-alive, Upgrade'],
  Upgrade: ['websocket'],
  'Content-Length': ['2'],
  'X-Request-Id': ['mine'],
  Cookie: ['a=b; c="d"']
}

const QUERIES = [
  'wait=0',
  'limit=5&cursor=MTcwMDAwMDAwMDAwMDpnZW5f',
  'status=queued&model=emoji-32&label=a',
  'q=fox&limit=1&offset=0',
  'expires=1700000000&signature=abc',
  'token=abc&lastEventId=7wxmmqta.2a.4.AQ.0.o',
  'generation_id=gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
]

const BODY = '{"class_name":"fox","seed":7,"metadata":{"a":"b"},"schedule":{"cfg":[1,2]},"webhook":null,"previews":[0]}'

/** A text with a few of its characters taken away, doubled, or replaced by what parsers trip over. */
const mutated = (random: () => number, text: string): string => {
  let changed = text
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const at = Math.floor(random() * (changed.length + 1))
    const end = Math.min(changed.length, at + Math.floor(random() * 4))
    const middle = random() < 0.3 ? '' : random() < 0.3 ? changed.slice(at, end).repeat(3) : pick(random, TOKENS)
    changed = changed.slice(0, at) + middle + changed.slice(end)
  }
  // The line would end here, and with it what is tried.
  return changed.replaceAll(/[\r\n\0]/g, '')
}

const repeated = (count: number, part: (at: number) => string) => Array.from({ length: count }, (_, at) => part(at)).join(',')

/** Bodies that are deep, wide, long or wrong in many places, at each place where the contract has something to say. */
const extremeBodies = (): string[] => {
  const nests = [40, 1000, 9000, 30_000].flatMap((levels) => [
    '['.repeat(levels) + ']'.repeat(levels),
    '{"a":'.repeat(levels / 3) + '0' + '}'.repeat(levels / 3),
    '['.repeat(levels)
  ])
  const numbers = [
    '9'.repeat(30_000),
    `0.${'3'.repeat(30_000)}`,
    '1e400',
    '-1e400',
    '1e-400',
    '-0',
    '9007199254740993',
    `1e${'9'.repeat(300)}`
  ]
  const texts = [
    '"' + 'x'.repeat(60_000) + '"',
    '"\\ud800"',
    '"\\u0000\\u001b\\u202e"',
    `"${'\\u0041'.repeat(9000)}"`,
    '"\xc3\xa9"',
    '"\xe9"'
  ]
  const wide = [
    `[${repeated(12_000, String)}]`,
    `[${repeated(6000, () => '[]')}]`,
    `{${repeated(5000, (at) => `"a${at}":${at}`)}}`,
    `{${repeated(40, (at) => `"${String(at).padEnd(1500, 'k')}":{}`)}}`,
    `{"${'k'.repeat(60_000)}":1}`,
    `{${repeated(3000, () => '"a":1')}}`
  ]
  const values = [...nests, ...numbers, ...texts, ...wide]
  const places = ['{"seed":V}', '{"metadata":V}', '{"metadata":{"a":V}}', '{"schedule":V}', '{"schedule":{"class_label":V}}']
  const others = [
    '{"previews":V}',
    '{"previews":[V,V]}',
    '{"webhook":V}',
    '{"webhook":{"url":V,"events":[V]}}',
    '{"output":{"format":V}}',
    'V'
  ]
  return [...places, ...others].flatMap((place) => values.map((value) => place.replaceAll('V', value)))
}

export interface HostileOptions {
  seed: number
  /** Requests for each header, query, path and so on. */
  each: number
  /** A generation that has ended. */
  ended: string
}

const request = (method: string, target: string, headers: Record<string, string>, body = ''): string => {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  const length =
    body === '' || 'Content-Length' in headers || 'Transfer-Encoding' in headers ? [] : [`Content-Length: ${body.length}`]
  const end = 'Connection' in headers ? [] : ['Connection: close']
  return `${method} ${target} HTTP/1.1\r\n${[...lines, ...length, ...end].join('\r\n')}\r\n\r\n${body}`
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Requests that are wrong in one part each, in as many ways as there are, the same for a seed. */
export const hostileRequests = function* ({ seed, each, ended }: HostileOptions): Generator<HostileRequest> {
  const random = randomFrom(seed)
  const reads = [
    `/v1/generations/${ended}`,
    `/generations/${ended}/events`,
    '/generations',
    '/models/emoji-32/classes',
    '/healthz',
    '/nothing'
  ]
  const posts = ['/generate', `/generations/${ended}/continue`, '/webhooks/test', `/v1/generations/gen_${'a'.repeat(26)}/cancel`]
  for (const [name, right] of Object.entries(HEADERS)) {
    for (let left = each; left > 0; left--) {
      const value = random() < 0.4 ? pick(random, TOKENS) : mutated(random, pick(random, right))
      const headers = { [name]: value }
      yield { name: `${name} of a read`, bytes: request(pick(random, ['GET', 'HEAD', 'OPTIONS']), pick(random, reads), headers) }
      yield {
        name: `${name} of a post`,
        bytes: request('POST', pick(random, posts), { ...JSON_TYPE, ...headers }, '{"seed":-1}')
      }
    }
  }
  const paths = [...reads, ...posts, '/objects/generations/x/0.png', '/docs/', '/openapi.json']
  for (let left = each * 10; left > 0; left--) {
    const target = mutated(random, pick(random, paths)).replaceAll(' ', '%20')
    yield { name: 'a path', bytes: request(pick(random, ['GET', 'POST', 'DELETE', 'PUT', 'QUERY', 'FOO']), target, {}) }
    const query = mutated(random, pick(random, QUERIES)).replaceAll(' ', '+')
    yield { name: 'a query', bytes: request('GET', `${pick(random, paths)}?${query}`, {}) }
    yield { name: 'JSON', bytes: request('POST', pick(random, posts), JSON_TYPE, mutated(random, BODY)) }
    yield { name: 'no HTTP', bytes: `${mutated(random, request('GET', '/healthz', { Connection: 'close' }))}\r\n\r\n` }
  }
  for (const body of extremeBodies())
    yield { name: 'an extreme body', bytes: request('POST', pick(random, posts), JSON_TYPE, body) }
}
