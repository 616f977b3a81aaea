import Type, { type Static } from 'typebox'
import { Generation, GENERATION_STATUSES, GenerationOutput, Preview, Progress, STAGES } from './generation.ts'
import { described, nullable, oneOf } from './primitives.ts'

/** Data of each server-sent event, by its name. Ids go into `Last-Event-ID`. */
export const GENERATION_EVENTS = {
  snapshot: Generation,
  status: Type.Object(
    {
      status: oneOf(GENERATION_STATUSES, { description: 'How the generation stands.' }),
      stage: nullable(oneOf(STAGES, { description: 'What is done with it; `null` when it is terminal.' })),
      attempt: Type.Integer({ minimum: 0, description: 'Attempts started.' })
    },
    { $id: 'StatusEvent', description: 'Status and stage as they are now.' }
  ),
  progress: Progress,
  preview: Preview,
  output: GenerationOutput,
  end: Generation
} as const
export type GenerationEventName = keyof typeof GENERATION_EVENTS
export type GenerationEventData = { [N in GenerationEventName]: Static<(typeof GENERATION_EVENTS)[N]> }

const eventOf = <const N extends GenerationEventName>(event: N, name: string, description: string) =>
  Type.Object(
    {
      id: Type.String({ description: 'Its place in the stream, for `Last-Event-ID`.' }),
      event: Type.Literal(event, { description: 'Its name.' }),
      data: described(GENERATION_EVENTS[event], description)
    },
    { $id: name, description }
  )

/** One event as it is after parsing the stream. The wire format is that of server-sent events; `data` is JSON there. */
export const GenerationEvent = Type.Union(
  [
    eventOf('snapshot', 'SnapshotEvent', 'The generation as it is when the stream begins.'),
    eventOf('status', 'StatusChangeEvent', 'The status or the stage has changed.'),
    eventOf('progress', 'ProgressEvent', 'Scales were finished. Several that finish at once may be told of once.'),
    eventOf('preview', 'PreviewEvent', 'A preview was stored.'),
    eventOf('output', 'OutputEvent', 'A picture was stored; only once all of them are.'),
    eventOf('end', 'EndEvent', 'The terminal generation; the stream ends.')
  ],
  { $id: 'GenerationEvent', description: 'A server-sent event: its id, its name, and its data as JSON.' }
)
