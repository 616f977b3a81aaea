import { NextscaleError } from '../errors.ts'

/** The body as the type the contract gives it: the one place where that is taken on trust. */
export const readJson = async <T>(response: Response): Promise<T> => {
  const text = await response.text()
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new NextscaleError({
      code: 'invalid_answer',
      detail: `${response.url} did not answer in JSON: is the URL that of Nextscale?`,
      status: response.status,
      cause: error
    })
  }
}
