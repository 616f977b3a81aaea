import { type GenerateImagePayload, generateImageJob } from '@nextscale/openapi'
import { Compile } from 'typebox/compile'

/** What a job of the queue is, or why this runner does not understand it. */
export type ReadPayload = { payload: GenerateImagePayload } | { payload?: undefined; complaint: string }

const Payload = Compile(generateImageJob.payload)

const parse = (data: unknown): ReadPayload => {
  if (Payload.Check(data)) return { payload: data }
  const [first] = Payload.Errors(data)
  return { complaint: `This runner does not understand the job: ${first?.instancePath} ${first?.message}.` }
}

const known = new WeakMap<object, ReadPayload>()

/** Reads what the queue handed over: queued jobs outlive deploys. The same data is parsed once, whoever asks. */
export const readPayload = (data: unknown): ReadPayload => {
  if (typeof data !== 'object' || data === null) return parse(data)
  const read = known.get(data) ?? parse(data)
  known.set(data, read)
  return read
}
