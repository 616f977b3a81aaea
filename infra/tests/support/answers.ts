import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export const ACCOUNT = '123456789012'
/** What stands in for the password that Secrets Manager makes: it must not come up again. */
export const PASSWORD = 'PasswordThatNoPlanMayHold'

const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::${ACCOUNT}:user/test</Arn><UserId>TEST</UserId><Account>${ACCOUNT}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`

const SECRET = { Name: 'secret', VersionId: '1', SecretString: PASSWORD, VersionStages: ['AWSCURRENT'], CreatedDate: 0 }

/** Answers what a plan asks of AWS: who one is, a password, and a secret's text. What is asked beside the first two is kept. */
export const startAnswers = async () => {
  const others: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const target = String(request.headers['x-amz-target'] ?? '')
      if (body.startsWith('Action=GetCallerIdentity'))
        return response.writeHead(200, { 'content-type': 'text/xml' }).end(IDENTITY)
      if (target.endsWith('.GetRandomPassword')) return response.end(JSON.stringify({ RandomPassword: PASSWORD }))
      if (target.endsWith('.GetSecretValue')) {
        others.push(target)
        return response.end(JSON.stringify({ ...SECRET, ARN: (JSON.parse(body) as { SecretId: string }).SecretId }))
      }
      others.push(target === '' ? `${request.method} ${request.url} ${body.slice(0, 100)}` : target)
      return response.writeHead(400).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, others, close }
}
