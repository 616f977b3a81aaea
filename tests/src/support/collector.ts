import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

interface Value {
  stringValue?: string
  intValue?: number
}

/** A span as OTLP spells it in JSON. */
export interface CollectedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Value }[]
  events: { name: string }[]
  status: { code: number }
  service: string
}

type OtlpSpan = Omit<CollectedSpan, 'service'>

interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: CollectedSpan['attributes'] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}

export const attributeOf = ({ attributes }: Pick<CollectedSpan, 'attributes'>, name: string): string | number | undefined => {
  const value = attributes.find(({ key }) => key === name)?.value
  return value?.stringValue ?? value?.intValue
}

const spansOf = (body: string): CollectedSpan[] =>
  (JSON.parse(body) as OtlpRequest).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributeOf(resource, 'service.name'))
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })))
  })

/** Takes traces over OTLP/HTTP and keeps them. */
export interface Collector {
  url: string
  spans(): CollectedSpan[]
  /** Everything it was sent. */
  text(): string
  close(): Promise<void>
}

/** A silent one takes connections and never answers. Port 0 is any that is free. */
export const startCollector = async ({ isSilent = false, port = 0 } = {}): Promise<Collector> => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    if (isSilent) return
    void text(request).then((body) => {
      if (request.url === '/v1/traces') bodies.push(body)
      response.writeHead(request.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans: () => bodies.flatMap(spansOf),
    text: () => bodies.join('\n'),
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
