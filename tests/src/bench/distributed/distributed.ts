import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomFrom } from '../../support/random.ts'
import { judge, makeReference } from '../kill-loop/judge.ts'
import { keepLogs, requireNone } from '../kill-loop/kill-loop.ts'
import { startLoad } from '../kill-loop/load.ts'
import { printTable } from '../report.ts'
import { breakHosts } from './faults.ts'
import { isApart } from './network.ts'
import { openDistributedStage } from './stage.ts'

interface Options {
  seconds: number
  seed: number
  /** Folder of another release of the project, which everything is rolled to and back from. */
  other: string | undefined
}

/** Runs this command again in a network of its own. */
const runApart = async (): Promise<void> => {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const [, ...args] = process.argv
  const child = spawn('unshare', [...user, '--net', process.execPath, ...args], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error('it did not hold, or a network of its own cannot be made here (unshare, ip and iptables)')
}

const runHere = async ({ seconds, seed, other }: Options): Promise<void> => {
  const stage = await openDistributedStage()
  try {
    await stage.ready().catch(async (cause: unknown) => {
      throw new Error(`it does not get ready. Logs: ${await keepLogs(stage)}`, { cause })
    })
    const reference = await makeReference(stage)
    const started = startLoad(stage, randomFrom(seed + 1))
    const counts = await breakHosts(stage, randomFrom(seed), seconds)
    await stage.ready()
    const { load } = started
    const broken = load.accepted.length
    if (other !== undefined) {
      await stage.roll(other)
      await stage.roll(import.meta.dirname.replace(/\/tests\/src\/bench\/distributed$/, ''))
    }
    await stage.ready()
    await started.stop()
    const verdict = await judge(stage, load.accepted, reference)
    printTable(
      `Faults in ${seconds} s, seed ${seed}`,
      [...counts].map(([fault, times]) => ({ fault, times }))
    )
    const rolled =
      other === undefined ? [] : [{ 'while everything was rolled to another release and back': load.accepted.length - broken }]
    printTable(
      'Accepted',
      [{ 'while hosts broke': broken }, ...rolled].map((row) => ({ ...row }))
    )
    await requireNone(stage, load, verdict)
  } finally {
    await stage.close()
  }
}

/** A service whose every process has a host of its own, in network namespaces: hosts are lost and cut off, and all is upgraded and back, under load. */
export const benchDistributed = (options: Options): Promise<void> => (isApart() ? runHere(options) : runApart())
