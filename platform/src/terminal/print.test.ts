import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const HOSTILE = String.raw`'a\u001b]0;title\u0007b\u202ec'`
const program = (code: string) =>
  `import { endWithReader, print, printError } from '@nextscale/platform/terminal'\nendWithReader()\n${code}`
const run = (code: string, after = '') => {
  const command = `"$0" --input-type=module -e "$1" ${after}`
  return spawnSync('bash', ['-c', command, process.execPath, program(code)], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 30_000
  })
}

describe('what a process prints', () => {
  it('is plain on both streams', () => {
    const { stdout, stderr } = run(`print(${HOSTILE}); printError(${HOSTILE})`)
    assert.deepEqual([stdout, stderr], ['ab c\n', 'ab c\n'])
  })

  it('may be cut off: the process ends without a word', () => {
    const forever = "setInterval(() => print('x'.repeat(1000)))"
    const { stdout, stderr } = run(forever, '| head -c 2; echo " ${PIPESTATUS[0]}"')
    assert.deepEqual([stdout, stderr], ['xx 141\n', ''])
  })

  it('may go unread where it is about errors: the process goes on', () => {
    const code = "for (let i = 0; i < 100; i++) printError('x'.repeat(10_000)); setTimeout(() => print('done'), 200)"
    const { stdout } = run(code, '2> >(head -c 1 > /dev/null)')
    assert.equal(stdout, 'done\n')
  })

  it('is said not to fit where the disk is full', { skip: process.platform !== 'linux' }, () => {
    const { status, stderr } = run("print('x'); setTimeout(() => print('y'), 100)", '> /dev/full')
    assert.equal(status, 1)
    assert.match(stderr, /^The output cannot be written: ENOSPC.*\n$/)
  })
})
