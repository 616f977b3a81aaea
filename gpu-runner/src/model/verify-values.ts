import { basename } from 'node:path'
import { type OpenFile, openFile, readPieces } from '../checkpoint/open-file.ts'
import { DTYPE_BYTES, elementCount, type FloatDtype, type FloatTensor } from '../checkpoint/tensor-info.ts'
import { ModelError } from '../errors.ts'

/** Bits of a number of each type: without its sign, and those of the exponent, which are all set in what is no number. */
const BITS: Readonly<Record<FloatDtype, { magnitude: number; exponent: number }>> = {
  F32: { magnitude: 0x7fffffff, exponent: 0x7f800000 },
  F16: { magnitude: 0x7fff, exponent: 0x7c00 },
  BF16: { magnitude: 0x7fff, exponent: 0x7f80 }
}

const mustVary = ({ name, shape }: FloatTensor, mayBeOneValue: RegExp): boolean =>
  name.endsWith('.weight') && shape.filter((size) => size > 1).length > 1 && !mayBeOneValue.test(name)

/** What has been seen of a tensor's values. */
interface Seen {
  /** How many are NaN or infinite. */
  broken: number
  /** Bits that are set in any, without the sign. */
  set: number
  /** Bits in which any differs from the first. */
  different: number
  first: number | undefined
}

const look = (piece: Uint8Array<ArrayBuffer>, dtype: FloatDtype, seen: Seen): void => {
  const { magnitude, exponent } = BITS[dtype]
  // Signed, so that every word is a small integer: others take many times as long.
  const Words = DTYPE_BYTES[dtype] === 4 ? Int32Array : Int16Array
  const words = new Words(piece.buffer, piece.byteOffset, piece.length / Words.BYTES_PER_ELEMENT)
  const first = (seen.first ??= words[0] ?? 0)
  let [broken, set, different] = [0, 0, 0]
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0
    if ((word & exponent) === exponent) broken++
    set |= word & magnitude
    different |= word ^ first
  }
  seen.broken += broken
  seen.set |= set
  seen.different |= different
}

const complaintAbout = async (file: OpenFile, tensor: FloatTensor, mayBeOneValue: RegExp): Promise<string | undefined> => {
  const { dtype, shape, data, offset, sizeBytes } = tensor
  const seen: Seen = { broken: 0, set: 0, different: 0, first: undefined }
  const pieces = data ? [Uint8Array.from(data)] : readPieces(file, offset, sizeBytes)
  for await (const piece of pieces) look(piece, dtype, seen)
  if (seen.broken > 0) return `has NaN or infinite values (${seen.broken} of ${elementCount(shape)})`
  if (!mustVary(tensor, mayBeOneValue)) return undefined
  if (seen.set === 0) return 'is all zeros'
  return seen.different === 0 ? 'has one value everywhere' : undefined
}

const verifyTensor = async (file: OpenFile, tensor: FloatTensor, mayBeOneValue: RegExp): Promise<void> => {
  const complaint = await complaintAbout(file, tensor, mayBeOneValue)
  if (complaint)
    throw new ModelError(
      `${basename(file.path)}: tensor ${tensor.name} ${complaint}, so the weights are damaged: fetch or export them again.`
    )
}

/**
 * Looks at every value of a model's weights. `mayBeOneValue` is of the names of matrices that can be meant to be all zeros.
 * @throws ModelError naming a tensor with values that are no finite numbers, or a matrix of one value.
 */
export const verifyValues = async (tensors: readonly FloatTensor[], mayBeOneValue: RegExp): Promise<void> => {
  const files = Map.groupBy(tensors, ({ file }) => file)
  for (const [path, own] of files) {
    const file = await openFile(path)
    try {
      for (const tensor of own) await verifyTensor(file, tensor, mayBeOneValue)
    } finally {
      await file.close()
    }
  }
}
