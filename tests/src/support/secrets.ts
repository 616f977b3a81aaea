import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** What is used of AWS Secrets Manager, on loopback: the texts of secrets, by ARN. Signatures are not checked. */
export const createSecrets = async () => {
  const secrets = new Map<string, string>()
  const operations: string[] = []
  const server = createServer((request, response) => {
    operations.push(String(request.headers['x-amz-target']))
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    const answer = ({ SecretId = '' }: { SecretId?: string }) => {
      const SecretString = secrets.get(SecretId)
      if (SecretString === undefined) return send(400, { __type: 'ResourceNotFoundException' })
      return send(200, { ARN: SecretId, SecretString })
    }
    json(request).then(
      (asked) => answer(asked as { SecretId?: string }),
      () => send(400, { __type: 'SerializationException' })
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, secrets, operations, close }
}
