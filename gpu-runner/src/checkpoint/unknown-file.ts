import { ModelError } from '../errors.ts'
import { type OpenFile, readExactly } from './open-file.ts'

/** Enough to tell a tar archive, whose name stands at byte 257. */
const HEAD_BYTES = 512
const TAR_OFFSET = 257

const RESAVE = 'load it in PyTorch and torch.save it again, or save it as safetensors'

/** What people give by mistake, by how it begins. */
const KINDS: readonly [magic: string, kind: string][] = [
  ['\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19', `is in torch’s format from before 1.6: ${RESAVE}`],
  ['\x80\x02', `is a bare Python pickle: ${RESAVE}`],
  ['\x80\x03', `is a bare Python pickle: ${RESAVE}`],
  ['\x80\x04', `is a bare Python pickle: ${RESAVE}`],
  ['version https://git-lfs', 'is a Git LFS pointer and not the weights: run git lfs pull'],
  ['\x89PNG', 'is a PNG picture and not a checkpoint'],
  ['\xff\xd8\xff', 'is a JPEG picture and not a checkpoint'],
  ['\x1f\x8b', 'is compressed with gzip: unpack it first'],
  ['\x89HDF', 'is an HDF5 file: save its tensors as safetensors'],
  ['GGUF', 'is a GGUF file, which is not read here: give the .pth or safetensors file'],
  ['PK', 'is not a whole torch checkpoint: it is a damaged zip archive'],
  ['<', 'is a web page or XML and not a checkpoint: download the file itself']
]

const nameKind = (head: string): string => {
  if (head.length === 0) return 'is empty: fetch the file again'
  if (head.startsWith('ustar', TAR_OFFSET)) return `is a tar archive: unpack it, or, if torch made it, ${RESAVE}`
  return KINDS.find(([magic]) => head.startsWith(magic))?.[1] ?? 'is neither a .pth checkpoint nor safetensors'
}

/** What there is to say of a file that is no checkpoint. */
export const unknownFile = async (file: OpenFile): Promise<ModelError> => {
  const head = await readExactly(file, 0, Math.min(HEAD_BYTES, file.sizeBytes))
  return new ModelError(`${file.path} ${nameKind(head.toString('latin1'))}.`)
}
