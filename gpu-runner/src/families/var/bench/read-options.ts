import { availableParallelism } from 'node:os'
import { WrongCommandLine } from '../../../cli/command.ts'
import { type Precision, PRECISIONS } from '../../../sampler/sampler-form.ts'

/** Options that every measurement of an engine has. */
export const MEASURE_OPTIONS = {
  precision: { type: 'string', default: PRECISIONS.join(',') },
  batch: { type: 'string', default: '1' },
  threads: { type: 'string', default: String(availableParallelism()) }
} as const

const MAX_COUNT = 1_000_000

/** @throws WrongCommandLine naming the option. */
export const readCount = (option: string, text: string): number => {
  const count = Number(text)
  if (/^[1-9]\d*$/.test(text) && count <= MAX_COUNT) return count
  throw new WrongCommandLine(`--${option} must be an integer from 1 to ${MAX_COUNT}, not "${text}".`)
}

const readList = <T>(text: string, read: (item: string) => T): T[] => [
  ...new Set(text.split(',').map((item) => read(item.trim())))
]

/** @throws WrongCommandLine naming the option. */
export const readMeasureOptions = (values: { precision: string; batch: string; threads: string }) => ({
  batches: readList(values.batch, (item) => readCount('batch', item)),
  threads: readCount('threads', values.threads),
  precisions: readList(values.precision, (item): Precision => {
    const precision = PRECISIONS.find((each) => each === item)
    if (precision) return precision
    throw new WrongCommandLine(`--precision must be ${PRECISIONS.join(', ')}, or several of them with commas, not "${item}".`)
  })
})
