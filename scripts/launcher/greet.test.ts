import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleCommand } from './greet.ts'

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
    once(spawn('bash', ['-c', exampleCommand(base, className, token)], { cwd: folder }), 'exit')
  assert.deepEqual(await save('fox', 'ns_a_b'), [0, null])
  const [code] = await save('red fox', 'ns_wrong')
  assert.notEqual(code, 0)
  assert.deepEqual(await readdir(folder), ['fox.png'])
  assert.equal(await readFile(join(folder, 'fox.png'), 'utf8'), 'a picture')
  server.close()
  await rm(folder, { recursive: true })
})
