import type { ContinueRequest, GenerateRequest } from '../generated/contract.ts'
import { readNumber, said, UsageError } from './command.ts'
import { readFormat } from './picture-file.ts'

/** What may be asked about the making of pictures, whether they are new or go on from others. */
export const REQUEST_OPTIONS = {
  output: { type: 'string', short: 'o' },
  format: { type: 'string' },
  quality: { type: 'string' },
  'no-picture-metadata': { type: 'boolean' },
  seed: { type: 'string' },
  draft: { type: 'string' },
  previews: { type: 'string' },
  'return-tokens': { type: 'boolean' },
  priority: { type: 'string' },
  deadline: { type: 'string' },
  'start-deadline': { type: 'string' },
  retention: { type: 'string' },
  label: { type: 'string' },
  metadata: { type: 'string', multiple: true },
  webhook: { type: 'string' },
  'webhook-events': { type: 'string' },
  'idempotency-key': { type: 'string' },
  watch: { type: 'boolean' }
} as const

export const REQUEST_USAGE = `  -o, --output FILE     where to save; several become FILE-0, FILE-1, …; - is standard output. Without it links are printed
  --format png|webp|jpeg  --quality N                of the file; its name says the format as well
  --no-picture-metadata                              leaves the settings out of the file
  --seed N
  --draft K                                          stops after scale K, counted from 0; nextscale continue goes on
  --watch                                            shows progress, and previews where the terminal has colour
  --previews none|auto|K,K,…  --return-tokens        what else is kept
  --priority low|normal|high  --deadline SECONDS  --start-deadline SECONDS|none  --retention SECONDS
  --label TEXT  --metadata NAME=TEXT …               your own words, kept with it
  --webhook URL  --webhook-events EVENT,EVENT,…      where its end is announced
  --idempotency-key KEY                              the same key and request never make a second one`

type Values = {
  [Name in keyof typeof REQUEST_OPTIONS]?:
    | ((typeof REQUEST_OPTIONS)[Name] extends { multiple: true }
        ? string[]
        : (typeof REQUEST_OPTIONS)[Name]['type'] extends 'boolean'
          ? boolean
          : string)
    | undefined
}

/** The fields that `REQUEST_OPTIONS` fill in; both requests have them. */
type Common = Pick<GenerateRequest & ContinueRequest, keyof GenerateRequest & keyof ContinueRequest>

const listed = (text: string): string[] => text.split(',').map((item) => item.trim())

const readPreviews = (text: string | undefined): GenerateRequest['previews'] => {
  if (text === undefined || text === 'none' || text === 'auto') return text
  if (/^\d+(\s*,\s*\d+)*$/.test(text)) return listed(text).map(Number)
  throw new UsageError(`--previews is "${text}"; give none, auto, or scales separated by commas such as 2,4.`)
}

const readMetadata = (pairs: readonly string[] | undefined): Record<string, string> | undefined =>
  pairs &&
  Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
      throw new UsageError(`--metadata is "${pair}"; give a name and a text, such as order=42.`)
    })
  )

const readWebhook = ({ webhook: url, 'webhook-events': events }: Values): GenerateRequest['webhook'] => {
  if (url === undefined && events !== undefined) throw new UsageError('--webhook-events needs --webhook: where is it announced?')
  // Which events there are is the server's to say.
  return url === undefined ? undefined : said({ url, events: events === undefined ? undefined : (listed(events) as never[]) })
}

const readOutput = (values: Values): GenerateRequest['output'] => {
  const output = said<NonNullable<GenerateRequest['output']>>({
    format: readFormat(values.format, values.output),
    quality: readNumber('quality', values.quality),
    metadata: values['no-picture-metadata'] ? false : undefined
  })
  return Object.keys(output).length === 0 ? undefined : output
}

/** The fields of a request that options say. */
export const readRequest = (values: Values): Common =>
  said<Common>({
    seed: readNumber('seed', values.seed),
    stop_at_scale: readNumber('draft', values.draft),
    output: readOutput(values),
    previews: readPreviews(values.previews),
    return_tokens: values['return-tokens'],
    // Which priorities there are is the server's to say.
    priority: values.priority as Common['priority'],
    deadline_seconds: readNumber('deadline', values.deadline),
    start_deadline_seconds: values['start-deadline'] === 'none' ? null : readNumber('start-deadline', values['start-deadline']),
    retention_seconds: readNumber('retention', values.retention),
    label: values.label,
    metadata: readMetadata(values.metadata),
    webhook: readWebhook(values)
  })
