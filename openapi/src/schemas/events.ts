import Type, { type Static } from 'typebox'
import { Generation, GENERATION_STATUSES, GenerationOutput, Preview, Progress, STAGES } from './generation.ts'
import { nullable, oneOf } from './primitives.ts'

/** Data of each server-sent event, by its name. Ids go into `Last-Event-ID`. */
export const GENERATION_EVENTS = {
  /** First event of a stream that does not resume: the whole resource. */
  snapshot: Generation,
  /** The status or the stage has changed. */
  status: Type.Object(
    { status: oneOf(GENERATION_STATUSES), stage: nullable(oneOf(STAGES)), attempt: Type.Integer({ minimum: 0 }) },
    { $id: 'StatusEvent' }
  ),
  /** Scales were finished. Several that finish at once may be told of once. */
  progress: Progress,
  /** A preview was stored. */
  preview: Preview,
  /** A picture was stored; only once all of them are. */
  output: GenerationOutput,
  /** The generation is terminal, and the stream ends. */
  end: Generation
} as const
export type GenerationEventName = keyof typeof GENERATION_EVENTS
export type GenerationEventData = { [N in GenerationEventName]: Static<(typeof GENERATION_EVENTS)[N]> }

const eventOf = <const N extends GenerationEventName>(event: N) =>
  Type.Object({ id: Type.String(), event: Type.Literal(event), data: GENERATION_EVENTS[event] })

/** One event as it is after parsing the stream. The wire format is that of server-sent events; `data` is JSON there. */
export const GenerationEvent = Type.Union(
  [eventOf('snapshot'), eventOf('status'), eventOf('progress'), eventOf('preview'), eventOf('output'), eventOf('end')],
  { $id: 'GenerationEvent', description: 'A server-sent event: its id, its name, and its data as JSON.' }
)
