import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom } from '../../support/random.ts'
import { printTable } from '../report.ts'
import { breakThings } from './faults.ts'
import { judge, makeReference, type Verdict } from './judge.ts'
import { type Load, startLoad } from './load.ts'
import { openStage, type Stage } from './stage.ts'

/** Where the logs lie that say how it came to be. */
export const keepLogs = async ({ processes }: Pick<Stage, 'processes'>, wrongs: object = {}): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-kill-loop-'))
  for (const [name, kept] of Object.entries(processes))
    await writeFile(join(folder, `${name.replaceAll(' ', '-')}.log`), kept.output())
  await writeFile(join(folder, 'wrongs.json'), JSON.stringify(wrongs, null, 2))
  return folder
}

/** Prints what became of what was accepted; throws where anything is not as it should be. */
export const requireNone = async (stage: Pick<Stage, 'processes'>, load: Load, verdict: Verdict): Promise<void> => {
  const { wrongs, succeeded, canceled, attempts, repeats } = verdict
  const bad = Object.fromEntries(Object.entries(wrongs).map(([name, ids]) => [name, ids.length]))
  printTable('Generations (targets: 0 lost, failed, duplicated, wrong, unannounced)', [
    { accepted: load.accepted.length, succeeded, canceled, ...bad, 'most attempts': attempts }
  ])
  printTable('What was sent again', [{ 'requests to the API': load.repeated, 'announcements that had arrived': repeats }])
  const first = Object.values(wrongs).flat()[0]
  if (first !== undefined) throw new Error(`not as it should be: ${first}. Logs: ${await keepLogs(stage, wrongs)}`)
}

/** Kills, freezes and stops everything there is, over and over, while generations are made; then looks at each of them. */
export const benchKillLoop = async (seconds: number, seed: number): Promise<void> => {
  const stage = await openStage()
  try {
    await stage.ready()
    const reference = await makeReference(stage)
    const started = startLoad(stage, randomFrom(seed + 1))
    const counts = await breakThings(stage, randomFrom(seed), seconds)
    await stage.ready()
    await started.stop()
    const { load } = started
    const verdict = await judge(stage, load.accepted, reference)
    const rows = [...counts].map(([fault, times]) => ({ fault, times }))
    const all = rows.reduce((sum, { times }) => sum + times, 0)
    printTable(`Faults in ${seconds} s, seed ${seed}`, [...rows, { fault: 'all', times: all }])
    await requireNone(stage, load, verdict)
  } finally {
    await stage.close()
  }
}
