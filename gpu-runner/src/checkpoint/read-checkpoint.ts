import { Allowance } from './allowance.ts'
import { openFile, readExactly } from './open-file.ts'
import { isIndex, readIndex } from './read-index.ts'
import { type CheckpointPart, readPth } from './read-pth.ts'
import { readSafetensors } from './read-safetensors.ts'
import type { TensorMap } from './tensor-info.ts'
import { unknownFile } from './unknown-file.ts'

const ZIP_MAGIC = 'PK\u0003\u0004'
/** The header’s length, of which no model’s needs the upper four bytes, and the header’s first character. */
const SAFETENSORS_HEAD = /^[^]{4}\0{4}\{/

const readFormat = async (path: string): Promise<'pth' | 'safetensors'> => {
  const file = await openFile(path)
  try {
    const head = (await readExactly(file, 0, Math.min(9, file.sizeBytes))).toString('latin1')
    if (head.startsWith(ZIP_MAGIC)) return 'pth'
    if (SAFETENSORS_HEAD.test(head)) return 'safetensors'
    throw await unknownFile(file)
  } finally {
    await file.close()
  }
}

const readFile = async (path: string, part: CheckpointPart, allowance: Allowance): Promise<TensorMap> =>
  (await readFormat(path)) === 'pth' ? readPth(path, part, allowance) : readSafetensors(path, allowance)

/**
 * Reads names, shapes and places of a checkpoint’s tensors, whatever its format: torch’s zip, safetensors, told apart by
 * content, or an `*.index.json` of shards. `part` says where it lies in a training checkpoint.
 * @throws ModelError in one sentence that names the file.
 */
export const readCheckpoint = async (path: string, part: CheckpointPart): Promise<TensorMap> => {
  const allowance = new Allowance()
  const read = (file: string) => readFile(file, part, allowance)
  return isIndex(path) ? readIndex(path, read) : read(path)
}
