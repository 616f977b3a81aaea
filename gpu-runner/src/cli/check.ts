import { resolve } from 'node:path'
import { inspectModel } from '../families/inspect-model.ts'
import type { Inspection } from '../families/inspection.ts'
import type { Precision } from '../sampler/sampler-form.ts'
import { formatBytes } from '../units.ts'
import { type Command, parse } from './command.ts'
import { formatSeconds } from './format.ts'
import { readPrecision } from './read-precision.ts'
import { weightBytes } from './weight-bytes.ts'

const BYTES_PER_KB = 1_024
/** Headings are as wide as the widest of them. */
const HEADING_WIDTH = 11

const usage = `nextscale models check FOLDER [--precision fp32|int8]
  Holds a model folder against its manifest: hashes, shapes, every value, and one image sampled from it.`

/** Holds a model of any family against its manifest, and has its family look at the rest. */
export const checkModel = async (
  inspection: Inspection,
  { precision, say }: { precision: Precision | null; say: (line: string) => void }
): Promise<void> => {
  const { model, name } = inspection
  const sayOf = (heading: string, found: string) => say(`${heading.padEnd(HEADING_WIDTH)}${found}`)
  const known = Object.entries(await inspection.facts()).map(([heading, fact]) => `${heading} ${fact}`)
  sayOf('manifest', [`${model.id} (${name})`, `revision ${model.revision}`, ...known].join(', '))
  const bytes = await weightBytes(model)
  const begun = performance.now()
  await model.verifyHashes()
  sayOf('hashes', `${formatBytes(bytes)} in ${formatSeconds(performance.now() - begun)}`)
  await inspection.check({ precision, say: sayOf })
  const peak = process.resourceUsage().maxRSS * BYTES_PER_KB
  sayOf('memory', `at most ${formatBytes(peak)} for ${formatBytes(bytes)} of files`)
}

/** Holds a model folder against its manifest and samples one image. */
export const check: Command = {
  usage,
  run: async (args, { say }) => {
    const { positionals, values } = parse(args, { precision: { type: 'string' } }, { usage, positionals: [1, 1] })
    const [folder = ''] = positionals
    const precision = readPrecision(values.precision)
    await checkModel(await inspectModel(resolve(folder)), { precision, say })
  }
}
