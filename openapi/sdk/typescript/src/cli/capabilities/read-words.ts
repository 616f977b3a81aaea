import type { Nextscale } from '../../client.ts'
import { NextscaleError } from '../../errors.ts'
import type { GenerateRequest, Model } from '../../generated/contract.ts'
import { UsageError } from '../command.ts'
import { asClass } from './options.ts'

type Subject = Pick<GenerateRequest, 'class_label' | 'class_name' | 'prompt'>

/** The model that is going to draw; `undefined` where it cannot be read, which is then for the request itself to say. */
const modelOf = async (client: Nextscale, id: string | undefined, signal: AbortSignal): Promise<Model | undefined> => {
  try {
    if (id !== undefined) return await client.models.get(id, { signal })
    return (await client.models.list({ signal })).find((listed) => listed.default)
  } catch (error) {
    if (error instanceof NextscaleError && error.status !== null && error.status < 500) return undefined
    throw error
  }
}

/**
 * What the words of the command line mean to the model: a prompt, where it takes one, else a class.
 * @throws UsageError for several words where one class is meant.
 */
export const readWords = async (
  client: Nextscale,
  words: readonly string[],
  { model: id, signal }: { model: string | undefined; signal: AbortSignal }
): Promise<Subject> => {
  if (words.length === 0) return {}
  const model = await modelOf(client, id, signal)
  if (model?.capabilities.includes('prompt')) return { prompt: words.join(' ') }
  const [text = ''] = words
  if (words.length > 1) throw new UsageError(`Put quotes around the class: nextscale generate "${words.join(' ')}"`)
  return asClass(text)
}
