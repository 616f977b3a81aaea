import type { InferenceSession } from 'onnxruntime-node'

type Options = InferenceSession.SessionOptions

/** How one graph is run, beside what all have in common. */
export interface SessionKind {
  options?: Pick<Options, 'enableCpuMemArena' | 'enableMemPattern'>
  /** Entries of the runtime's session configuration. */
  config?: Readonly<Record<string, string>>
}

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
