import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Plan } from './resources.ts'
import { init, standIn, terraform, withCopy } from './terraform.ts'

export const ACCOUNT = '123456789012'
/** What stands in for the password that Secrets Manager makes: it must not come up again. */
export const PASSWORD = 'PasswordThatNoPlanMayHold'

const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::${ACCOUNT}:user/test</Arn><UserId>TEST</UserId><Account>${ACCOUNT}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`

/** Answers the two questions that a plan asks of AWS: who one is, and a password. Any other is refused, and kept. */
const startAnswers = async () => {
  const others: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const target = String(request.headers['x-amz-target'] ?? '')
      if (body.startsWith('Action=GetCallerIdentity'))
        return response.writeHead(200, { 'content-type': 'text/xml' }).end(IDENTITY)
      if (target.endsWith('.GetRandomPassword')) return response.end(JSON.stringify({ RandomPassword: PASSWORD }))
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

export type Variables = Readonly<Record<string, string>>

/** What the examples need to be set. */
export const VARIABLES: Readonly<Record<'dev' | 'complete', Variables>> = {
  dev: { image_tag: '0.1.0' },
  complete: {
    image_tag: '0.1.0',
    domain: 'pictures.example.com',
    certificate_arn: `arn:aws:acm:eu-central-1:${ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000`
  }
}

export const asFlags = (variables: Variables): string[] =>
  Object.entries(variables).flatMap(([name, value]) => ['-var', `${name}=${value}`])

/** Plans an example where there is nothing yet, without a network; tells what was asked of AWS beside the two questions. */
export const planExample = (
  name: keyof typeof VARIABLES,
  more: Variables = {}
): Promise<{ plan: Plan; text: string; others: string[] }> =>
  withCopy(async (copy) => {
    const cwd = join(copy, 'examples', name)
    const answers = await startAnswers()
    try {
      const zip = join(copy, 'lambda.zip')
      await writeFile(zip, 'a package')
      await init(cwd)
      const flags = asFlags({ ...VARIABLES[name], lambda_package: zip, ...more })
      await terraform(cwd, ['plan', '-input=false', '-out=plan', ...flags], standIn(answers.url))
      const shown = await terraform(cwd, ['show', '-json', 'plan'])
      return { plan: JSON.parse(shown) as Plan, text: shown, others: answers.others }
    } finally {
      await answers.close()
    }
  })
