import { formatSeconds, formatTable } from '../../../cli/format.ts'
import { formatBytes } from '../../../units.ts'
import type { OpenModel } from '../model/open-model.ts'
import { decoderFlops, transformerFlops, type Work } from './count-flops.ts'
import type { Measured } from './measure.ts'
import type { SecondProcess } from './measure-second.ts'
import type { Products } from './replies.ts'
import { median, summarise } from './summarise.ts'

type Row = Record<string, string>

const MS_PER_SECOND = 1_000
const UNKNOWN = '-'

/** A title and rows under the names of their cells. */
export const formatReport = (title: string, rows: readonly Row[]): string =>
  ['', title, ...formatTable([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))])].join('\n')

const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`

const bytesOr = (value: number | undefined): string => (value === undefined ? UNKNOWN : formatBytes(value))

const nameOf = ({ engine, precision, batch }: Measured): Row => ({ engine, precision, batch: String(batch) })

/** Operations of one image of a model as its own defaults have it sampled. */
export const workOf = ({ transformer, tokenizer, shape, manifest }: OpenModel): Work => ({
  transformer: transformerFlops(
    transformer.tensors.values(),
    shape.scales,
    manifest.defaults.cfg > 0 && shape.transformer.classes > 0 ? 2 : 1
  ),
  decoder: decoderFlops(tokenizer.tensors.values(), shape.side, shape.resolution)
})

/** Where the time of a batch goes. */
export const timeRows = (measured: readonly Measured[]): Row[] =>
  measured.map((each) => {
    const { transformerMs, decodeMs, totalMs, leastMs } = summarise(each)
    return {
      ...nameOf(each),
      load: formatSeconds(each.loadMs),
      'transformer ms': short(transformerMs),
      'decoder ms': short(decodeMs),
      'total ms': short(totalMs),
      'least ms': short(leastMs),
      'images/s': short((each.batch * MS_PER_SECOND) / totalMs)
    }
  })

/** Median milliseconds of every scale. */
export const scaleRows = (measured: readonly Measured[], scales: readonly number[]): Row[] =>
  measured.map((each) => ({
    ...nameOf(each),
    ...Object.fromEntries(summarise(each).scaleMs.map((ms, scale) => [`${scales[scale]}x${scales[scale]}`, short(ms)]))
  }))

export const memoryRows = (measured: readonly Measured[]): Row[] =>
  measured.map(({ memory, ...each }) => ({
    ...nameOf({ memory, ...each }),
    'peak RSS': bytesOr(memory?.peak),
    anonymous: bytesOr(memory?.anonymous),
    'of files': bytesOr(memory?.file),
    private: bytesOr(memory?.private)
  }))

/** What was measured beside the engine in the same rounds. */
export interface Beside {
  products: Products[]
  /** Milliseconds of the draws of a batch, by its size. */
  draws: ReadonlyMap<number, readonly number[]>
}

/** The best the machine's products did. */
const peakOf = ({ products }: Beside, precision: string): number =>
  Math.max(...products.map(({ fp32, int8 }) => (precision === 'int8' ? int8 : fp32)))

export const peakRows = (beside: Beside): Row[] => [
  {
    'fp32 GFLOP/s': short(peakOf(beside, 'fp32')),
    median: short(median(beside.products.map(({ fp32 }) => fp32))),
    'int8 GOP/s': short(peakOf(beside, 'int8')),
    'median ': short(median(beside.products.map(({ int8 }) => int8)))
  }
]

/** Operations a second, and how much of the machine's peak that is. */
export const speedRows = (measured: readonly Measured[], work: Work, beside: Beside): Row[] =>
  measured.map((each) => {
    const { transformerMs, decodeMs } = summarise(each)
    const rate = (flops: number, ms: number) => (flops * each.batch) / ms / 1e6
    const [transformer, decoder] = [rate(work.transformer, transformerMs), rate(work.decoder, decodeMs)]
    const draw = median(beside.draws.get(each.batch) ?? [])
    return {
      ...nameOf(each),
      'transformer GFLOP/s': short(transformer),
      'of peak': percent(transformer, peakOf(beside, each.precision)),
      'decoder GFLOP/s': short(decoder),
      'of fp32 peak': percent(decoder, peakOf(beside, 'fp32')),
      'draw ms': short(draw),
      'of transformer': percent(draw, transformerMs)
    }
  })

/** How many times quicker than PyTorch, which was measured in the same rounds. */
export const ratioRows = (ours: readonly Measured[], theirs: readonly Measured[]): Row[] =>
  ours.flatMap((our) =>
    theirs
      .filter(({ batch }) => batch === our.batch)
      .map((their) => {
        const [we, they] = [summarise(our), summarise(their)]
        const times = (value: number) => `${value.toFixed(2)}x`
        return {
          ...nameOf(our),
          'against PyTorch': their.precision,
          'least / least': times(they.leastMs / we.leastMs),
          'median / median': times(they.totalMs / we.totalMs),
          transformer: times(they.transformerMs / we.transformerMs),
          decoder: times(they.decodeMs / we.decodeMs),
          'peak RSS of PyTorch’s': our.memory && their.memory ? percent(our.memory.peak, their.memory.peak) : UNKNOWN
        }
      })
  )

export const secondRow = (precision: string, { alone, first, second }: SecondProcess): Row => ({
  precision,
  'one: PSS': formatBytes(alone.pss),
  'two: PSS': formatBytes(first.pss + second.pss),
  'the second adds': formatBytes(first.pss + second.pss - alone.pss),
  'private to the second': formatBytes(second.private)
})
