import { open } from 'node:fs/promises'
import { ModelError } from '../errors.ts'
import { type CheckpointRole, readPth } from './read-pth.ts'
import { readSafetensors } from './read-safetensors.ts'
import type { TensorMap } from './tensor-info.ts'

const ZIP_MAGIC = 'PK\u0003\u0004'

const readMagic = async (path: string): Promise<string> => {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw new ModelError(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`)
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(ZIP_MAGIC.length), 0, ZIP_MAGIC.length, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/**
 * Reads names, shapes and places of a checkpoint’s tensors, whatever its format: torch’s zip or safetensors, told apart by
 * content. `role` says which part of a training checkpoint is wanted.
 * @throws ModelError in one sentence that names the file.
 */
export const readCheckpoint = async (path: string, role: CheckpointRole): Promise<TensorMap> =>
  (await readMagic(path)) === ZIP_MAGIC ? readPth(path, role) : readSafetensors(path)
