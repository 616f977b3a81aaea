import type { TestContext } from 'node:test'
import { InferenceSession } from '../onnx/onnxruntime.ts'

/** A session of a graph whose weights lie in a folder; released when the test ends. */
export const openSession = async (
  t: TestContext,
  graph: Uint8Array,
  folder: string,
  session: Record<string, string> = {}
): Promise<InferenceSession> => {
  const opened = await InferenceSession.create(graph, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 2,
    extra: { session: { model_external_initializers_file_folder_path: folder, ...session } }
  })
  t.after(() => opened.release())
  return opened
}
