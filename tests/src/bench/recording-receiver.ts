import { once } from 'node:events'
import { createServer } from 'node:http'

export interface Recorded {
  id: string
  generationId: string
  /** Unix ms. */
  at: number
}

export interface RecordingReceiver {
  recorded: readonly Recorded[]
  /** Nothing listens at its port until then, nor after it is closed. */
  open(): Promise<void>
  close(): Promise<void>
}

/** A receiver that takes everything and keeps which deliveries came, of which generation. */
export const createRecordingReceiver = (port: number, address = '127.0.0.1'): RecordingReceiver => {
  const recorded: Recorded[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const { data } = JSON.parse(body) as { data: { id: string } }
      recorded.push({ id: String(request.headers['webhook-id']), generationId: data.id, at: Date.now() })
      response.writeHead(204).end()
    })
  })
  return {
    recorded,
    open: async () => void (await once(server.listen(port, address), 'listening')),
    close: async () => {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
