import { InferenceSession } from '../../../onnx/onnxruntime.ts'

/** A session of a graph without files. */
export const openSession = (graph: Uint8Array, threads: number): Promise<InferenceSession> =>
  InferenceSession.create(graph, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  })
