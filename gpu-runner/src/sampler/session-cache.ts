import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { arch, cpus } from 'node:os'
import { join } from 'node:path'
import { env, InferenceSession } from '../onnx/onnxruntime.ts'

const GRAPH_FILE = 'graph.onnx'
const WEIGHTS_FILE = 'weights.bin'
/** Smaller constants stay inside the graph. */
const MIN_EXTERNAL_BYTES = '1024'
const ERRORS_ONLY = 3

/** What the packed form of weights depends on besides the graph. */
const machine = async (): Promise<string> => {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const flags = info.split('\n').find((line) => line.startsWith('flags') || line.startsWith('Features'))
  return [arch(), cpus()[0]?.model, flags, env.versions.node, env.versions.common].join('|')
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

export interface CachedGraph {
  graph: Uint8Array
  /** Says which weights the graph points at. */
  identity: string
  options: InferenceSession.SessionOptions
}

type SessionExtra = Record<string, unknown>

const withExtra = (options: InferenceSession.SessionOptions, changes: SessionExtra): InferenceSession.SessionOptions => {
  const session = { ...(options.extra?.['session'] as SessionExtra | undefined), ...changes }
  return { ...options, logSeverityLevel: ERRORS_ONLY, extra: { ...options.extra, session } }
}

/** Has the runtime optimise the graph and write it down with its weights packed as its kernels want them. */
const build = async ({ graph, options }: CachedGraph, folder: string): Promise<void> => {
  const temporary = `${folder}.${randomUUID()}`
  await mkdir(temporary, { recursive: true })
  try {
    const saving = withExtra(options, {
      save_external_prepacked_constant_initializers: '1',
      optimized_model_external_initializers_file_name: WEIGHTS_FILE,
      optimized_model_external_initializers_min_size_in_bytes: MIN_EXTERNAL_BYTES
    })
    const session = await InferenceSession.create(graph, { ...saving, optimizedModelFilePath: join(temporary, GRAPH_FILE) })
    await session.release()
    // Another process may have been quicker; its files are as good.
    await rename(temporary, folder).catch(async (error: unknown) => {
      if (!(await exists(join(folder, GRAPH_FILE)))) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/**
 * Opens a session whose optimised graph and packed weights lie in a cache folder and are mapped into memory, so that all
 * processes of the machine share them and a start need not pack them again. Made when missing. One folder per graph,
 * weights, runtime and kind of processor; deleting any of them is safe.
 */
export const openCached = async (cache: string, name: string, cached: CachedGraph): Promise<InferenceSession> => {
  const hash = createHash('sha256')
    .update(await machine())
    .update(cached.identity)
    .update(cached.graph)
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 32)}`)
  // The optimised graph finds its weights beside itself.
  const options = withExtra(cached.options, { model_external_initializers_file_folder_path: folder })
  const load = () => InferenceSession.create(join(folder, GRAPH_FILE), options)
  if (await exists(join(folder, GRAPH_FILE))) {
    // A folder that was emptied in part, or a disk that was full: made anew below.
    const session = await load().catch(() => undefined)
    if (session) return session
    await rm(folder, { recursive: true, force: true })
  }
  await build(cached, folder)
  return load()
}
