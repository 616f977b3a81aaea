import { DEFAULT_POOL, type GenerationInput, type RunnerCard } from '@nextscale/openapi'

/** A model in the revision that a generation is made with. */
export type Ref = Pick<GenerationInput, 'model' | 'model_revision'>

/** The pool of a runner; those of the release before this one name none. */
export const poolOf = ({ pool = DEFAULT_POOL }: RunnerCard): string => pool

/** Whether a runner serves a revision of a model. Those of releases that did not say which serve the one that is asked for. */
export const serves = ({ models }: RunnerCard, { model, model_revision: revision }: Ref): boolean =>
  models.some((served) => served.id === model && (served.revision ?? revision) === revision)

/** Pools in which runners that live serve a revision of a model. */
export const livePools = (cards: readonly RunnerCard[], ref: Ref): string[] => [
  ...new Set(cards.filter((card) => serves(card, ref)).map(poolOf))
]
