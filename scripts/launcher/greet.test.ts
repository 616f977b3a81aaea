import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleCommand, greet } from './greet.ts'

const TOKEN = `ns_${'a'.repeat(12)}_${'B'.repeat(43)}`
const BASE = 'http://127.0.0.1:9'

test('the key is shown on a terminal alone; elsewhere the place where it lies', async () => {
  const key = { kind: 'local', token: TOKEN } as const
  const keyFile = '/home/me/my "own" $place/api-key'
  assert.match(await greet(BASE, key, { keyFile, isTerminal: true }), new RegExp(TOKEN))
  const said = await greet(BASE, key, { keyFile, isTerminal: false })
  assert.doesNotMatch(said, /ns_/)
  assert.ok(said.includes(`API key              in ${keyFile}`))
})

test('an example that reads the key where it lies works from anywhere, whatever the folder is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale example $HOME "`'))
  const keyFile = join(folder, 'api-key')
  await writeFile(keyFile, `${TOKEN}\n`)
  const authorizations: unknown[] = []
  const server = createServer(({ headers }, response) => {
    authorizations.push(headers.authorization)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const said = await greet(base, { kind: 'local', token: TOKEN }, { keyFile, isTerminal: false })
  const command = said.slice(said.indexOf('curl'), said.indexOf('\n\n', said.indexOf('curl')))
  assert.deepEqual(await once(spawn('bash', ['-c', command], { cwd: folder }), 'exit'), [0, null])
  assert.equal(authorizations.at(-1), `Bearer ${TOKEN}`)
  server.close()
  await rm(folder, { recursive: true })
})

test('the example asks by a prompt where the default model takes one, else for a class it has', async () => {
  const capabilities: string[] = []
  const server = createServer(({ url }, response) => {
    const classes = { data: [{ name: 'ice cream' }] }
    response.end(JSON.stringify(url === '/v1/models' ? { data: [{ id: 'm', default: true, capabilities }] } : classes))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const said = () => greet(base, { kind: 'none' }, { keyFile: '/key', isTerminal: true })
  assert.match(await said(), /-d '\{"class_name": "ice cream"\}' -o ice-cream\.png/)
  capabilities.push('prompt')
  assert.match(await said(), /-d '\{"prompt": "a red fox in the snow"\}' -o a-red-fox-in-the-snow\.png/)
  server.close()
})

test('the example saves the picture, and nothing where it is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-example-'))
  const server = createServer(({ url, headers }, response) => {
    const isAccepted = url === '/generate' && headers.accept === 'image/png' && headers.authorization === 'Bearer ns_a_b'
    response.writeHead(isAccepted ? 200 : 401).end(isAccepted ? 'a picture' : 'a refusal')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const save = (className: string, token: string) =>
    once(spawn('bash', ['-c', exampleCommand(base, { class_name: className }, token)], { cwd: folder }), 'exit')
  assert.deepEqual(await save('fox', 'ns_a_b'), [0, null])
  const [code] = await save('red fox', 'ns_wrong')
  assert.notEqual(code, 0)
  assert.deepEqual(await readdir(folder), ['fox.png'])
  assert.equal(await readFile(join(folder, 'fox.png'), 'utf8'), 'a picture')
  server.close()
  await rm(folder, { recursive: true })
})
