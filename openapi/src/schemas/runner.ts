import Type, { type Static } from 'typebox'
import { ModelId, nullable, Timestamp } from './primitives.ts'

/** What a runner announces in Redis about itself, every few seconds while it lives. */
export const RunnerCard = Type.Object({
  id: Type.String({ description: 'Drawn at the start of the process.' }),
  version: Type.String(),
  /** Whose queue it takes from. Runners of the release before this one leave it out: they are of the default pool. */
  pool: Type.Optional(Type.String()),
  started_at: Timestamp('When the process was ready.'),
  announced_at: Timestamp('When it last said so.'),
  max_batch: Type.Integer({ minimum: 1, description: 'Images sampled together at most.' }),
  models: Type.Array(
    Type.Object({
      id: ModelId,
      /** Runners of the release before this one leave it out. */
      revision: Type.Optional(Type.String()),
      /** Time from one picture to the next, measured over recent batches of this model; null before the first. */
      image_ms: nullable(Type.Number({ minimum: 0 })),
      /** Time of one generation from its first scale to stored pictures, measured; null before the first. */
      latency_ms: nullable(Type.Number({ minimum: 0 }))
    })
  )
})
export type RunnerCard = Static<typeof RunnerCard>

/** A card this old is of a runner that is gone. */
export const RUNNER_CARD_SECONDS = 30
