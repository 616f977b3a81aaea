import { end, generation, json, model, snapshot, stream } from './answers.ts'
import { type Answer, startStandIn } from './stand-in.ts'

export const PICTURE = 'picture'
const picture: Answer = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE)

interface Other {
  pictures?: Answer
  events?: Answer
  poll?: Answer
  /** What its one model takes. */
  takes?: readonly string[]
}

/** A server whose every generation succeeds with `count` pictures, or answers a part of that in another way. */
export const servePictures = async (count: number, other: Other = {}) => {
  const only = model('m', other.takes ?? ['class_label', 'class_name'])
  const server = await startStandIn((response, request) => {
    const outputs = Array.from({ length: count }, (_, index) => ({
      index,
      url: `${server.url}/${index}.png`,
      content_type: 'image/png'
    }))
    const ended = { outputs, model: 'm', input: { num_images: count, seed: 7 }, created_at: '2026-01-01T12:00:00.000Z' }
    const route = (): Answer => {
      if (request.url === '/v1/models') return json(200, { data: [only] })
      if (request.url === '/v1/models/m') return json(200, only)
      if (request.method === 'POST') return json(202, generation('queued'))
      if (request.url.endsWith('/events')) return other.events ?? stream([snapshot(), end('succeeded', ended)])
      if (request.url.endsWith('.png')) return other.pictures ?? picture
      return (request.url.includes('wait=') && other.poll) || json(200, generation('succeeded', ended))
    }
    route()(response, request)
  })
  return server
}
