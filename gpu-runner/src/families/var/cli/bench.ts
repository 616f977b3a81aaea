import { resolve } from 'node:path'
import { nextscale } from '../bench/contestants.ts'
import { measure } from '../bench/measure.ts'
import { MEASURE_OPTIONS, readCount, readMeasureOptions } from '../bench/read-options.ts'
import { formatReport, memoryRows, scaleRows, timeRows } from '../bench/report.ts'
import { openModel } from '../model/open-model.ts'
import { type Command, parse } from '../../../cli/command.ts'

const usage = `nextscale models bench FOLDER [--precision fp32,int8] [--batch 1,2,4] [--rounds N] [--threads N] [--cache FOLDER]
  Measures how long a VAR model takes on this machine and how much memory, each configuration in a process of its own.
  --cache FOLDER     keeps optimised graphs and packed weights there: later starts are quicker and share memory`

/** Measures a model folder, one configuration after the other. */
export const bench: Command = {
  usage,
  run: async (args, { say, stoppable }) => {
    const options = { ...MEASURE_OPTIONS, rounds: { type: 'string', default: '5' }, cache: { type: 'string' } } as const
    const { values, positionals } = parse(args, options, { usage, positionals: [1, 1] })
    const { batches, precisions, threads } = readMeasureOptions(values)
    const rounds = readCount('rounds', values.rounds)
    const model = await openModel(resolve(positionals[0] ?? ''))
    const cache = values.cache === undefined ? null : resolve(values.cache)
    const measured = []
    for (const batch of batches) {
      for (const precision of precisions) {
        const contestant = nextscale({ folder: model.folder, precision, threads, batch, cache })
        measured.push(...(await stoppable((signal) => measure([contestant], { rounds, signal }))))
      }
    }
    say(`${model.manifest.name}, ${threads} threads, medians of ${rounds} rounds`)
    const memory = memoryRows(measured)
    const times = timeRows(measured).map((row, index) => ({ ...row, ...memory[index] }))
    say(...formatReport('Milliseconds of a batch, and memory', times).split('\n'))
    say(...formatReport('Milliseconds of each scale', scaleRows(measured, model.shape.scales)).split('\n'))
  }
}
