import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

const TIMEOUT_MS = 5_000

/** Does something with a client of AWS Secrets Manager in the region of a secret. */
const ask = async <T>(
  arn: string,
  question: (client: SecretsManagerClient, abortSignal: AbortSignal) => Promise<T>
): Promise<T> => {
  const client = new SecretsManagerClient({ region: arn.split(':')[3] ?? '', maxAttempts: 3 })
  try {
    return await question(client, AbortSignal.timeout(TIMEOUT_MS))
  } finally {
    client.destroy()
  }
}

/** The text of a secret; undefined when it has none. Throws errors of AWS, whose names say what is wrong. */
export const getSecret = (arn: string): Promise<string | undefined> =>
  ask(
    arn,
    async (client, abortSignal) => (await client.send(new GetSecretValueCommand({ SecretId: arn }), { abortSignal })).SecretString
  )

/** Gives a secret another text. */
export const putSecret = (arn: string, text: string): Promise<void> =>
  ask(arn, async (client, abortSignal) => {
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: text }), { abortSignal })
  })
