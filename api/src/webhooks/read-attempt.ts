import { WebhookAttempt } from '@nextscale/openapi'
import Type from 'typebox'
import { jsonParserOf, parserOf } from '../contract/parser.ts'

const parseWhole = jsonParserOf(WebhookAttempt)
const parseObject = jsonParserOf(Type.Object({}))

const FIELDS = new Map(Object.entries(WebhookAttempt.properties).map(([name, schema]) => [name, parserOf(schema)]))

/** What stands for a field that cannot be read. */
const UNKNOWN: WebhookAttempt = {
  at: new Date(0).toISOString(),
  outcome: 'unreachable',
  status_code: null,
  latency_ms: 0,
  error: 'Part of this attempt is on record in a form that this release does not read.',
  response: null
}

/** An attempt as the log has it. One with odd fields, as another release may write, is shown by the others: each that was made counts. */
export const readAttempt = (line: string): WebhookAttempt | undefined => {
  const whole = parseWhole(line)
  if (whole !== undefined) return whole
  const entry = parseObject(line)
  if (entry === undefined) return undefined
  const readable = Object.entries(entry).filter(([name, value]) => value !== null && FIELDS.get(name)?.(value) !== undefined)
  return { ...UNKNOWN, ...(Object.fromEntries(readable) as Partial<WebhookAttempt>) }
}
