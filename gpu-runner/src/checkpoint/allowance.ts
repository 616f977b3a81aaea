import { ModelError } from '../errors.ts'

/** The names, types and shapes of a thousand tensors take some 100 KB; a file that has far more of them only costs memory. */
const MAX_BYTES = 4 * 2 ** 20

/** What the files of one checkpoint may take together to describe its tensors; the values are not in it. */
export class Allowance {
  #left = MAX_BYTES

  /** @throws ModelError before such a part of a file is read that the allowance has no room for. */
  take(path: string, part: string, bytes: number): void {
    this.#left -= bytes
    if (this.#left >= 0) return
    throw new ModelError(
      `${path} is refused: its ${part} has ${bytes} bytes, and the tensors of a model may take ${MAX_BYTES} to describe in all.`
    )
  }
}
