import { CAPABILITY_ARGUMENTS, CAPABILITY_FIELDS } from './capabilities/words.ts'

/** Fields of requests as the command calls them, by the path of their JSON pointer. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  ...CAPABILITY_ARGUMENTS,
  stop_at_scale: '--draft',
  deadline_seconds: '--deadline',
  start_deadline_seconds: '--start-deadline',
  retention_seconds: '--retention',
  'output/format': '--format',
  'output/quality': '--quality',
  'output/metadata': '--no-picture-metadata',
  'webhook/url': '--webhook',
  'webhook/events': '--webhook-events',
  'query/q': 'QUERY',
  'query/generation_id': '--generation',
  'headers/authorization': '--api-key',
  'headers/idempotency-key': '--idempotency-key',
  url: 'URL',
  'path/id': 'ID'
}
/** Those that are called as their field is. */
const OPTIONS = new RegExp(
  `^(query/)?(${CAPABILITY_FIELDS.join('|')}|model|num_images|seed|keep_scales|previews|return_tokens|priority|label|metadata|status|limit)$`
)

const argumentOf = (path: string): string | undefined => {
  if (Object.hasOwn(ARGUMENTS, path)) return ARGUMENTS[path]
  const [, , name] = OPTIONS.exec(path) ?? []
  return name === undefined ? undefined : `--${name.replaceAll('_', '-')}`
}

/** The argument that a JSON pointer is about; the pointer where it is about none. */
export const argumentAt = (pointer: string): string => {
  const names = pointer.split('/').slice(1)
  // What lies below a field is in the value of its option.
  for (let length = Math.min(names.length, 2); length > 0; length--) {
    const found = argumentOf(names.slice(0, length).join('/'))
    if (found !== undefined) return found
  }
  return pointer
}

/** Operations as commands. The longer paths come first. */
const COMMANDS: readonly [operation: RegExp, command: string][] = [
  [/GET \/v1\/models\/[^/\s]+\/classes(\?q=)?/g, 'nextscale classes'],
  [/POST \/v1\/generations\/([^/\s]+)\/(cancel|continue)/g, 'nextscale $2 $1'],
  [/GET \/v1\/generations\/([^/\s?.]+)/g, 'nextscale get $1'],
  [/GET \/v1\/generations/g, 'nextscale list'],
  [/GET \/v1\/webhook-deliveries/g, 'nextscale webhooks deliveries'],
  [/GET \/v1\/(models|status)/g, 'nextscale $1']
]

/** Where a sentence speaks of a field by its pointer: `/seed: Must be …`. */
const POINTER = /(^|[\s(])((?:\/[\w~-]+)+)(?=:\s)/g
/** Names that no other word is: those with an underscore or a dot. */
const FIELD = /(?<![\w"'/.-])`?(webhook\.events|[a-z]+(?:_[a-z]+)+)`?(?![\w"'/-])/g

/** An argument that stands for two fields, where both are listed. */
const TWICE = /\b([A-Z]+)(?:, \1\b)+/g

/** What the server says, in the words of the command: its options, arguments and commands in place of fields and operations. */
export const inOwnWords = (text: string): string => {
  const commands = COMMANDS.reduce((said, [operation, command]) => said.replaceAll(operation, command), text)
  return commands
    .replaceAll(POINTER, (_, before: string, pointer: string) => `${before}${argumentAt(pointer)}`)
    .replaceAll(FIELD, (whole, name: string) => argumentOf(name.replace('.', '/')) ?? whole)
    .replaceAll(TWICE, '$1')
}
