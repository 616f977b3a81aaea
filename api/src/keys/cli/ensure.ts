import { resolve } from 'node:path'
import type { KeyContext } from '../create.ts'
import { ensureKey, inFile, type TokenPlace } from '../ensure.ts'
import { type Command, CommandError, WrongCommandLine, parse } from '../../cli/command.ts'
import { NEW_KEY_OPTIONS, readNewKey } from './new-key-options.ts'

const usage = `nextscale keys ensure --file FILE | --secret ARN --name NAME --scopes SCOPES [--unless-others] [--quiet] [limits as for create]
  Keeps a valid key in FILE and prints it: the one that is there, or a new one. With --secret it is kept in a secret of AWS Secrets Manager,
  and not printed. With --unless-others it makes, and prints, none when there are other keys.
  With --quiet it prints nothing.`

/** The text of a secret. Libraries of AWS are loaded only here. */
const inSecret = (arn: string): TokenPlace => {
  const refuse = (operation: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.name : String(error)
    throw new CommandError(
      `The secret ${arn} cannot be used (${reason}): let this process call secretsmanager:${operation} on it.`
    )
  }
  return {
    read: async () => {
      const { getSecret } = await import('@nextscale/platform/secrets-manager')
      const none = (error: unknown) =>
        error instanceof Error && error.name === 'ResourceNotFoundException' ? '' : refuse('GetSecretValue')(error)
      return (await getSecret(arn).catch(none)) ?? ''
    },
    write: async (token) => {
      const { putSecret } = await import('@nextscale/platform/secrets-manager')
      await putSecret(arn, token).catch(refuse('PutSecretValue'))
    }
  }
}

export const ensure: Command<KeyContext> = {
  usage,
  prepare: (args) => {
    const own = {
      file: { type: 'string' },
      secret: { type: 'string' },
      'unless-others': { type: 'boolean' },
      quiet: { type: 'boolean' }
    } as const
    const {
      file,
      secret,
      'unless-others': unlessOthers = false,
      quiet = false,
      ...values
    } = parse(args, { ...NEW_KEY_OPTIONS, ...own }, usage).values
    if (file !== undefined && secret !== undefined)
      throw new WrongCommandLine('--file and --secret are both there: name one of them.')
    if (secret !== undefined && !secret.startsWith('arn:')) throw new WrongCommandLine('--secret must be the ARN of a secret.')
    if (file === undefined && secret === undefined)
      throw new WrongCommandLine('--file is missing: name the file that holds the key, or with --secret the secret.')
    const place = secret === undefined ? inFile(resolve(file ?? '')) : inSecret(secret)
    const wanted = readNewKey(values)
    return async (context) => {
      const outcome = await ensureKey(context, { place, wanted, unlessOthers })
      if (quiet || outcome.kind === 'others') return ''
      return secret === undefined ? outcome.token : `The key is in ${secret}.`
    }
  }
}
