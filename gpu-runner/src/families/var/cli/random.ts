import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  PUBLISHED_SIZES,
  PUBLISHED_TOKENIZER,
  PUBLISHED_TRANSFORMERS,
  TOKENIZER_FILE,
  transformerFile
} from '../model/published.ts'
import { writeRandomTokenizer, writeRandomTransformer } from '../model/random-checkpoint.ts'
import { type Command, WrongCommandLine, parse } from '../../../cli/command.ts'
import { formatBytes } from '../../../units.ts'
import { formatSeconds } from '../../../cli/format.ts'
import { writeFolder } from '../../../cli/write-folder.ts'

const MAX_SEED = 2 ** 32 - 1

const usage = `nextscale models random SIZE FOLDER [--seed N]
  Writes tokenizer and transformer of a VAR model of a published size (${PUBLISHED_SIZES.join(', ')}) with random weights, in the published
  format: for measuring and trying out without a download. The pictures mean nothing.`

const parseSeed = (text: string): number => {
  const seed = Number(text)
  if (/^\d+$/.test(text) && seed <= MAX_SEED) return seed
  throw new WrongCommandLine(`--seed must be an integer from 0 to ${MAX_SEED}, not "${text}".`)
}

/** Writes a random checkpoint of a published size. */
export const random: Command = {
  usage,
  run: async (args, { say, stoppable }) => {
    const options = { seed: { type: 'string', default: '0' } } as const
    const { values, positionals } = parse(args, options, { usage, positionals: [2, 2] })
    const [name = '', folder = ''] = positionals
    const size = PUBLISHED_SIZES.find((each) => each === name)
    if (!size) throw new WrongCommandLine(`SIZE must be one of ${PUBLISHED_SIZES.join(', ')}, not "${name}".`)
    const [seed, target, begun] = [parseSeed(values.seed), resolve(folder), performance.now()]
    await stoppable((signal) =>
      writeFolder(target, 'FOLDER', async (staging) => {
        await writeRandomTokenizer(join(staging, TOKENIZER_FILE), PUBLISHED_TOKENIZER, { seed, signal })
        await writeRandomTransformer(join(staging, transformerFile(size)), PUBLISHED_TRANSFORMERS[size], { seed, signal })
      })
    )
    const files = [join(target, TOKENIZER_FILE), join(target, transformerFile(size))] as const
    for (const file of files) say(`${file}  ${formatBytes((await stat(file)).size)}`)
    say(`Written in ${formatSeconds(performance.now() - begun)}. Make a model of it with`)
    say(`  npm run models -- add --vae ${files[0]} --var ${files[1]}`)
  }
}
