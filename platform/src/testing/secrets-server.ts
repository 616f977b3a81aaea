import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A server that speaks what is used of the protocol of AWS Secrets Manager (JSON 1.1), on loopback. Signatures are not checked. */
export interface SecretsTestServer {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  readonly url: string
  /** Texts by ARN. */
  readonly secrets: Map<string, string>
  /** Names of the operations that were asked for. */
  readonly requests: string[]
  close(): Promise<void>
}

interface Asked {
  SecretId?: string
  SecretString?: string
}

export const startSecrets = async (): Promise<SecretsTestServer> => {
  const secrets = new Map<string, string>()
  const requests: string[] = []
  const answer = (operation: string, { SecretId = '', SecretString }: Asked): [number, object] => {
    if (!secrets.has(SecretId)) return [400, { __type: 'ResourceNotFoundException', message: 'There is no such secret.' }]
    if (operation === 'GetSecretValue') return [200, { ARN: SecretId, SecretString: secrets.get(SecretId) }]
    if (operation !== 'PutSecretValue' || SecretString === undefined) return [400, { __type: 'InvalidRequestException' }]
    secrets.set(SecretId, SecretString)
    return [200, { ARN: SecretId }]
  }
  const server = createServer((request, response) => {
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
    requests.push(operation)
    const isSigned = String(request.headers.authorization).startsWith('AWS4-HMAC-SHA256 ')
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    if (!isSigned) return void send(400, { __type: 'MissingAuthenticationTokenException' })
    json(request).then(
      (asked) => send(...answer(operation, asked as Asked)),
      () => send(400, { __type: 'SerializationException' })
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    secrets,
    requests,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}
