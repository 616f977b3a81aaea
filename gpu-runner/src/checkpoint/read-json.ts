import { ModelError } from '../errors.ts'
import { readSmallFile } from './open-file.ts'
import { JsonError, parseJson } from './parse-json.ts'

/**
 * Reads a JSON file.
 * @throws ModelError in one sentence when it is no regular file, larger than that, or not JSON.
 */
export const readJson = async (path: string, maxBytes: number): Promise<unknown> => {
  const bytes = await readSmallFile(path, maxBytes)
  try {
    return parseJson(bytes)
  } catch (error) {
    throw error instanceof JsonError ? new ModelError(`${path} is not valid JSON: ${error.message}.`) : error
  }
}
