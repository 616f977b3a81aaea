import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { ModelError } from '../errors.ts'

/** What the runtime opens for CUDA, from the folder of its binding. */
const PROVIDER = 'libonnxruntime_providers_cuda.so'
const PROVIDER_FILES = ['libonnxruntime_providers_shared.so', PROVIDER]
/** The driver's own: it comes with the GPU, never with an image. */
const DRIVER = 'libcuda.so.1'
const SETTING = 'EXECUTION_PROVIDER=cuda'

/** Where the runtime's binding for this platform lies. */
export const bindingFolder = (): string => {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node')
  return join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch)
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What the loader says of a file; a file that it opens is no add-on of Node, which is then all there is to say. */
const loaderSays = (path: string): string => {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_LAZY)
    return ''
  } catch (error) {
    return textOf(error)
  }
}

const ofDevice = (said: string): string | undefined => {
  if (/no CUDA-capable device/i.test(said))
    return `${SETTING} found no GPU: give the process one (docker run --gpus all, nvidia.com/gpu: 1), or set EXECUTION_PROVIDER=cpu.`
  if (/driver version is insufficient/i.test(said))
    return `${SETTING} needs a newer driver on this machine: CUDA 13 runs with NVIDIA's driver 580 or later.`
  return undefined
}

/**
 * Why the runtime could not open a session with CUDA, in one sentence for the operator; undefined where nothing is known. To be
 * asked after a failure only: a provider file that the loader opens before the runtime does is of no use to it any more.
 */
export const whyNoCuda = (error: unknown, folder = bindingFolder()): string | undefined => {
  const absent = PROVIDER_FILES.find((name) => !existsSync(join(folder, name)))
  if (absent !== undefined)
    return `${SETTING} needs ${absent}, which is not in ${folder}: use the image nextscale-gpu, or see CUDA in the runner's README.`
  const device = ofDevice(textOf(error))
  if (device !== undefined) return device
  const library = /([^\s:/]+\.so[.\d]*): cannot open shared object file/.exec(loaderSays(join(folder, PROVIDER)))?.[1]
  if (library === undefined) return undefined
  return library === DRIVER
    ? `${SETTING} needs ${DRIVER} of NVIDIA's driver: give the process a GPU (docker run --gpus all), driver 580 or later.`
    : `${SETTING} needs ${library}, which the loader does not find: install CUDA 13 and cuDNN 9, or set LD_LIBRARY_PATH to where they are.`
}

/**
 * Opens a session that may need CUDA.
 * @throws ModelError in one sentence where it does and something of it is missing.
 */
export const openOnDevice = async <T>(provider: string, open: () => Promise<T>): Promise<T> => {
  if (provider !== 'cuda') return open()
  const why = PROVIDER_FILES.every((name) => existsSync(join(bindingFolder(), name))) ? undefined : whyNoCuda(undefined)
  if (why !== undefined) throw new ModelError(why)
  try {
    return await open()
  } catch (error) {
    const reason = whyNoCuda(error)
    throw reason === undefined ? error : new ModelError(reason)
  }
}
