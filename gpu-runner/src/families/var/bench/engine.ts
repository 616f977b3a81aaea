import { type OpenModel, openModel } from '../model/open-model.ts'
import { type Contestant, hasPyTorch, nextscale, probe, pytorch } from './contestants.ts'
import { startLines } from './line-process.ts'
import { measure, type Measured } from './measure.ts'
import { measureSecond } from './measure-second.ts'
import type { Precision } from '../../../sampler/sampler-form.ts'
import { Draw, parseLine, Products } from './replies.ts'
import * as report from './report.ts'

export interface EngineBench {
  folder: string
  /** Where optimised graphs and packed weights go. */
  cache: string
  precisions: readonly Precision[]
  batches: readonly number[]
  threads: number
  rounds: number
  python: string
  signal: AbortSignal
  say: (line: string) => void
}

const isOurs = ({ engine }: Measured) => engine === 'nextscale'

/** The first start fills the cache, so it is no measure of the later ones, neither of their time nor of their memory. */
const fillCache = async (bench: EngineBench): Promise<void> => {
  const { folder, cache, precisions, threads, signal, say } = bench
  for (const precision of precisions) {
    const [first] = await measure([nextscale({ folder, precision, threads, batch: 1, cache })], { rounds: 0, signal })
    say(`nextscale ${precision} starts for the first time in ${((first?.loadMs ?? 0) / 1_000).toFixed(1)} s`)
  }
}

const contestantsOf = (bench: EngineBench, model: OpenModel, batch: number, withPyTorch: boolean): Contestant[] => {
  const { folder, cache, precisions, threads, python } = bench
  const ours = precisions.map((precision) => nextscale({ folder, precision, threads, batch, cache }))
  const theirs = (['fp32', 'bf16'] as const).map((precision) => pytorch({ python, model, precision, batch, threads }))
  return [...ours, ...(withPyTorch ? theirs : [])]
}

/** Every configuration, batch by batch, with the machine's products and the draws measured in the same rounds. */
const measureAll = async (bench: EngineBench, model: OpenModel, withPyTorch: boolean) => {
  const { folder, threads, batches, rounds, signal, say } = bench
  const [measured, products, draws]: [Measured[], Products[], Map<number, number[]>] = [[], [], new Map()]
  const beside = startLines(probe({ folder, threads }), signal)
  try {
    await beside.read()
    for (const batch of batches) {
      const drawn: number[] = []
      draws.set(batch, drawn)
      const afterRound = async () => {
        products.push(parseLine(Products, await beside.ask('products')))
        drawn.push(parseLine(Draw, await beside.ask(`draw ${batch}`)).draw_ms)
        say(`batch ${batch}: round ${drawn.length} of ${rounds}`)
      }
      measured.push(...(await measure(contestantsOf(bench, model, batch, withPyTorch), { rounds, signal, afterRound })))
    }
  } finally {
    await beside.close()
  }
  return { measured, beside: { products, draws } }
}

const reportSecond = async ({ folder, cache, precisions, threads, signal, say }: EngineBench): Promise<void> => {
  const rows = []
  for (const precision of precisions) {
    const second = await measureSecond(nextscale({ folder, precision, threads, batch: 1, cache }), signal)
    if (second) rows.push(report.secondRow(precision, second))
  }
  if (rows.length > 0) say(report.formatReport('A second process of the same engine', rows))
}

/** Measures the engine on a model, beside PyTorch where there is one, and prints what came out. */
export const benchEngine = async (bench: EngineBench): Promise<void> => {
  const { folder, say, threads, python } = bench
  const model = await openModel(folder)
  const withPyTorch = hasPyTorch(python)
  if (!withPyTorch) say(`${python} has no PyTorch, so there is nothing to compare with; --python names one that has.`)
  await fillCache(bench)
  const { measured, beside } = await measureAll(bench, model, withPyTorch)
  const work = report.workOf(model)
  const teraflops = (flops: number) => (flops / 1e12).toFixed(3)
  say(`\n${model.manifest.name}, ${threads} threads; an image takes ${teraflops(work.transformer)} TFLOP in the transformer`)
  say(`and ${teraflops(work.decoder)} TFLOP in the decoder`)
  say(report.formatReport('Milliseconds of a batch, medians', report.timeRows(measured)))
  say(report.formatReport('Milliseconds of each scale, medians', report.scaleRows(measured, model.shape.scales)))
  say(report.formatReport('Matrix products of this machine in the runtime, 512 x 1024 x 4096', report.peakRows(beside)))
  const ours = measured.filter(isOurs)
  say(report.formatReport('Speed, and the share of the draws', report.speedRows(ours, work, beside)))
  say(report.formatReport('Memory', report.memoryRows(measured)))
  const theirs = measured.filter((each) => !isOurs(each))
  if (withPyTorch) say(report.formatReport('Times as fast as PyTorch', report.ratioRows(ours, theirs)))
  await reportSecond(bench)
}
