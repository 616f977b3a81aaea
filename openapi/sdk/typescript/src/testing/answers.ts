import type {
  Generation,
  GenerationEvent,
  GenerationOutput,
  Model,
  Preview,
  Problem,
  WebhookDelivery
} from '../generated/contract.ts'
import type { Answer } from './stand-in.ts'

export const ID = 'gen_4s5k2nq7yb6dm3xw2ehqj5ztla'

/** A generation, as much of it as a test looks at. */
export const generation = (status: Generation['status'], rest: object = {}): Generation =>
  ({ id: ID, status, outputs: [], previews: [], error: null, ...rest }) as unknown as Generation

/** A model that takes these fields, as much of it as the command looks at. */
export const model = (id: string, capabilities: readonly string[], rest: Partial<Model> = {}): Model =>
  ({ id, family: 'var', sizes: [{ width: 32, height: 32 }], capabilities, default: true, ...rest }) as unknown as Model

export const DELIVERY_ID = 'whd_4s5k2nq7yb6dm3xw2ehqj5ztla'

export const delivery = (rest: Partial<WebhookDelivery> = {}): WebhookDelivery => ({
  id: DELIVERY_ID,
  generation_id: ID,
  event: 'generation.succeeded',
  url: 'https://hooks.example.com/nextscale',
  status: 'pending',
  attempts: [],
  next_attempt_at: null,
  created_at: '2026-01-01T12:00:00.000Z',
  completed_at: null,
  expires_at: null,
  ...rest
})

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

export const problem = (
  status: number,
  code: Problem['code'],
  {
    retryable = false,
    headers = {},
    detail = `It is ${code}.`
  }: { retryable?: boolean; headers?: Record<string, string>; detail?: string } = {}
): Answer =>
  json(
    status,
    {
      type: `urn:${code}`,
      title: code,
      status,
      detail,
      code,
      request_id: 'req_1',
      retryable,
      errors: [{ pointer: '/seed', detail: 'x' }]
    },
    { 'content-type': 'application/problem+json', ...headers }
  )

/** Breaks the connection instead of an answer. */
export const hangUp: Answer = (response) => response.destroy()

const wire = ({ id, event, data }: GenerationEvent): string => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** Sends events, then ends the stream: politely, or in the middle of the next event. */
export const stream =
  (sent: readonly GenerationEvent[], { broken = false } = {}): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`: hello\n\n${sent.map(wire).join('')}`)
    if (!broken) response.end()
    else response.write('id: cut\nevent: progress\ndata: {"sca', () => response.destroy())
  }

export const snapshot = (id = 'e0', rest: object = {}): GenerationEvent => ({
  id,
  event: 'snapshot',
  data: generation('running', rest)
})
export const preview = (scale: number, index = 0) => ({ index, scale, url: `http://x/${index}-${scale}.webp` }) as Preview
export const output = (index: number) => ({ index, url: `http://x/${index}.png` }) as GenerationOutput
export const progress = (scale: number): GenerationEvent => ({
  id: `e${scale}`,
  event: 'progress',
  data: { scale, scales: 6, tokens: scale, tokens_total: 6 }
})
export const end = (status: Generation['status'] = 'succeeded', rest: object = {}): GenerationEvent => ({
  id: 'e9',
  event: 'end',
  data: generation(status, rest)
})
