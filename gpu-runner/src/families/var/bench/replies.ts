import Type, { type Static, type TSchema } from 'typebox'
import Value from 'typebox/value'

/** First line of a measured process: it has loaded its model. */
export const Ready = Type.Object({ load_ms: Type.Number(), torch: Type.Optional(Type.String()) })

/** One batch from labels to pixels. */
export const Round = Type.Object({ scale_ms: Type.Array(Type.Number()), decode_ms: Type.Number(), total_ms: Type.Number() })
export type Round = Static<typeof Round>

/** Matrix products of the runtime, in 10^9 operations a second. */
export const Products = Type.Object({ fp32: Type.Number(), int8: Type.Number() })
export type Products = Static<typeof Products>

/** Top-k, top-p and draw of one batch over all scales. */
export const Draw = Type.Object({ draw_ms: Type.Number() })

/** What the engine's process is told on its command line. */
export const EngineTask = Type.Object({
  folder: Type.String(),
  precision: Type.Union([Type.Literal('fp32'), Type.Literal('int8')]),
  threads: Type.Integer({ minimum: 1 }),
  batch: Type.Integer({ minimum: 1 }),
  cache: Type.Union([Type.String(), Type.Null()])
})
export type EngineTask = Static<typeof EngineTask>

export const ProbeTask = Type.Object({ folder: Type.String(), threads: Type.Integer({ minimum: 1 }) })
export type ProbeTask = Static<typeof ProbeTask>

/** @throws when the text is not JSON of that schema. */
export const parseLine = <T extends TSchema>(schema: T, text: string): Static<T> => Value.Parse(schema, JSON.parse(text))
