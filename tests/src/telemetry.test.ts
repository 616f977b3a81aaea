import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { deploy } from './support/deployment.ts'
import { foreignTraffic, requireStrace, tracedTo } from './support/trace.ts'
import { until } from './support/until.ts'

/** A file for each program and start, named after the workspace. */
const traceFiles = (folder: string) => {
  let starts = 0
  return (program: string) => join(folder, `${++starts}-${basename(dirname(dirname(program)))}.trace`)
}

test('nothing is sent to anyone: no look-up, no connection beyond what is configured, no file in the home', async (t) => {
  await requireStrace()
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-silence-'))
  const [home, loudHome] = await Promise.all([mkdtemp(join(folder, 'home-')), mkdtemp(join(folder, 'home-'))])
  const fileOf = traceFiles(folder)
  const files: string[] = []
  const launch = (program: string) => {
    files.push(fileOf(program))
    return tracedTo(files.at(-1) ?? '', program)
  }
  // No variable of a CI among them, which would have kept the runtime silent.
  const service = await deploy({ env: { HOME: home, CACHE_DIR: join(folder, 'cache') }, launch })
  t.after(async () => {
    await service.close()
    await rm(folder, { recursive: true, force: true })
  })
  const made = await service.client.generate({ class_name: 'fox', seed: 7 })
  assert.equal((await service.client.finish(made.id)).status, 'succeeded')
  const quiet = [...files]
  assert.equal(quiet.length, 3)
  // An operator may turn it on: the same trace then shows it, so it has been looked for long enough.
  await service.startRunner({ ORT_DISABLE_TELEMETRY: '0', HOME: loudHome })
  const loud = files.at(-1) ?? ''
  await until('the runtime that may report asks for its collector', async () => (await foreignTraffic(loud)).length > 0, 60_000)
  assert.notDeepEqual(await readdir(loudHome), [])
  for (const file of quiet) assert.deepEqual(await foreignTraffic(file), [], basename(file))
  assert.deepEqual(await readdir(home, { recursive: true }), [])
})
