import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { checkOutEarlier, missingEarlier } from './support/earlier-release.ts'

const run = promisify(execFile)
const BENCH = join(resolve(import.meta.dirname, '../..'), 'tests', 'src', 'bench', 'main.ts')
const SECONDS = 60
const TIMEOUT_MS = 480_000

const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
/** A bridge, a pair of cables and a filter, as the test makes them. */
const NEEDS = 'ip link add b0 type bridge && ip link add p0 type veth peer name p1 && iptables -w -A INPUT -s 10.77.0.9 -j DROP'
const canBeApart = spawnSync('unshare', [...user, '--net', 'sh', '-c', NEEDS]).status === 0
const skip = canBeApart
  ? missingEarlier
  : 'networks of one’s own cannot be made here: that takes unshare, ip and iptables, and a kernel that lets this user'

test(
  'hosts are lost and cut off, and everything is rolled to the release before and back, and nothing is lost',
  { skip },
  async (t) => {
    const earlier = await checkOutEarlier()
    t.after(earlier.remove)
    const args = ['distributed', '--seconds', String(SECONDS), '--seed', '7', '--other', earlier.folder]
    const { stdout } = await run(process.execPath, [BENCH, ...args], { timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 })
    t.diagnostic(stdout)
    const [, header = '', row = ''] = /Generations .*\n(.*)\n(.*)/.exec(stdout) ?? []
    const columns = header.trim().split(/ {2,}/)
    const cells = row.trim().split(/ {2,}/)
    const of = (name: string) => Number(cells[columns.indexOf(name)])
    assert.ok(of('accepted') > 50, stdout)
    for (const name of ['lost', 'failed', 'duplicated', 'wrong', 'unannounced']) assert.equal(of(name), 0, stdout)
  }
)
