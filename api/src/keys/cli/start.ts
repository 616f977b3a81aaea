/** `nextscale keys`: makes, shows and revokes the API keys of the API that uses the same Redis and prefix. */
import { redisKeys } from '@nextscale/openapi'
import { ConfigError } from '../../config-readers.ts'
import { type Command, CommandError } from './command.ts'
import { readKeysConfig } from './config.ts'
import { withRedis } from './connect.ts'
import { create } from './create.ts'
import { ensure } from './ensure.ts'
import { list } from './list.ts'
import { revoke } from './revoke.ts'

const VERBS: Readonly<Record<string, Command>> = { create, list, revoke, ensure }

const isHelp = (text: string) => ['--help', '-h', 'help'].includes(text)

const run = async ([verb = 'help', ...args]: string[]): Promise<string> => {
  if (isHelp(verb))
    return Object.values(VERBS)
      .map(({ usage }) => usage)
      .join('\n\n')
  const command = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (!command) throw new CommandError(`There is no "keys ${verb}": the verbs are ${Object.keys(VERBS).join(', ')}.`)
  if (args.some(isHelp)) return command.usage
  const work = command.prepare(args)
  const config = readKeysConfig()
  return withRedis(config, (redis) => work({ redis, keys: redisKeys(config.redisPrefix) }))
}

try {
  const text = await run(process.argv.slice(2))
  if (text !== '') process.stdout.write(`${text}\n`)
} catch (error) {
  const isForeseen = error instanceof CommandError || error instanceof ConfigError
  const reason = isForeseen ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`nextscale keys: ${reason}\n`)
  process.exitCode = 1
}
