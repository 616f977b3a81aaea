import type { InferenceSession } from 'onnxruntime-node'

type Options = InferenceSession.SessionOptions

/** How one graph is run, beside what all have in common. */
export interface SessionKind {
  options?: Pick<Options, 'enableCpuMemArena' | 'enableMemPattern'>
  /** Entries of the runtime's session configuration. */
  config?: Readonly<Record<string, string>>
}

/** AdaLN: used once per image and as large as half the blocks, so it is left in the checkpoint, unpacked. */
export const CONDITION: SessionKind = { config: { disable_prepacking: '1' } }

/** Of fp32: every scale has other sizes, and a memory pattern for each would hold blocks of its own between images. */
export const STEP: SessionKind = { options: { enableMemPattern: false } }

/** Of fp32: its few large tensors are given back after every picture, which costs two percent of the time. */
export const DECODER: SessionKind = { options: { enableCpuMemArena: false } }

/** Options of a CPU session whose graph points at files in `folder`. */
export const cpuSession = (folder: string, threads: number, { options, config }: SessionKind = {}): Options => ({
  executionProviders: ['cpu'],
  // Less than all makes sums in the int8 decoder that depend on the number of threads.
  graphOptimizationLevel: 'all',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  ...options,
  extra: {
    session: {
      // Threads that spin between operators would take the cores from the process that renews locks and uploads.
      intra_op: { allow_spinning: '0' },
      // The graphs are bytes, so the runtime must be told where the files they point at lie.
      model_external_initializers_file_folder_path: folder,
      ...config
    }
  }
})
