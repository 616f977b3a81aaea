import { resolve } from 'node:path'
import { openModel, verifyHashes } from '../families/var/model/open-model.ts'
import { MAY_BE_ONE_VALUE } from '../families/var/model/may-be-one-value.ts'
import { verifyValues } from '../model/verify-values.ts'
import { buildGraphs } from '../families/var/model/build-graphs.ts'
import { type Command, parse } from './command.ts'
import { readPrecision } from './read-precision.ts'
import { describeModel, weightBytes } from './describe-model.ts'
import { formatBytes } from '../units.ts'
import { formatSeconds } from './format.ts'

const BYTES_PER_KB = 1_024

const usage = `nextscale models check FOLDER [--precision fp32|int8]
  Holds a model folder against its manifest: hashes, shapes, every value, and one image sampled from it.`

/** Holds a model folder against its manifest and samples one image. */
export const check: Command = {
  usage,
  run: async (args, { say }) => {
    const { positionals, values } = parse(args, { precision: { type: 'string' } }, { usage, positionals: [1, 1] })
    const [folder = ''] = positionals
    const precision = readPrecision(values.precision)
    const model = await openModel(resolve(folder))
    const { id, name, revision, resolution, classes, parameters } = await describeModel(model)
    say(`manifest   ${id} (${name}), revision ${revision}, ${resolution}, ${classes} classes, ${parameters} parameters`)
    const bytes = await weightBytes(model)
    const begun = performance.now()
    await verifyHashes(model)
    say(`hashes     ${formatBytes(bytes)} in ${formatSeconds(performance.now() - begun)}`)
    const tensors = buildGraphs(model)
    say('shapes     every tensor the graphs need has the shape they need')
    await verifyValues(tensors, MAY_BE_ONE_VALUE)
    say('values     every weight is a number, and no matrix that must differ is of one value')
    const { smokeRun } = await import('../families/var/smoke-run.ts')
    const { loadMs, imageMs } = await smokeRun(model, precision)
    const peak = process.resourceUsage().maxRSS * BYTES_PER_KB
    say(`one image  loaded in ${formatSeconds(loadMs)}, sampled in ${formatSeconds(imageMs)}`)
    say(`memory     at most ${formatBytes(peak)} for ${formatBytes(bytes)} of files`)
  }
}
