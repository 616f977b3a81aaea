import { createHash } from 'node:crypto'
import { openFile, readPieces } from '../checkpoint/open-file.ts'

/**
 * sha256 of a regular file’s content, in hexadecimal.
 * @throws ModelError when it cannot be opened.
 */
export const hashFile = async (path: string, signal?: AbortSignal): Promise<string> => {
  const hash = createHash('sha256')
  const file = await openFile(path)
  try {
    for await (const piece of readPieces(file, 0, file.sizeBytes)) {
      signal?.throwIfAborted()
      hash.update(piece)
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}
