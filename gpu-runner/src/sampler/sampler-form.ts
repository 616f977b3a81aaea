import type { FloatType } from '../onnx/graph-builder.ts'

/** Numbers a model is computed with on a CPU; `int8` is quicker and a little less exact. */
export const PRECISIONS = ['fp32', 'int8'] as const
export type Precision = (typeof PRECISIONS)[number]

/** On a CPU: a run for every scale. */
export interface StepOptions {
  /** Threads that share one operator. */
  threads: number
  /** `null` takes what the model's manifest says. */
  precision: Precision | null
  /** Folder for optimised graphs and packed weights; without one they are made anew at every start. */
  cache: string | null
}

/** Where crossings are dear: all scales are one run. */
export interface FusedOptions {
  provider: 'cpu' | 'cuda'
  float: FloatType
  /** Batch sizes that are run, ascending; a batch is filled up to the next of them. */
  ladder: readonly number[]
}

/** How the models of a runner are computed. */
export type SamplerForm = ({ form: 'step' } & StepOptions) | ({ form: 'fused' } & FusedOptions)
