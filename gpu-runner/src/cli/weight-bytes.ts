import { stat } from 'node:fs/promises'
import type { ServedModel } from '../families/family.ts'

/** Size of the files that hold the weights of a model. */
export const weightBytes = async ({ files }: ServedModel): Promise<number> => {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
