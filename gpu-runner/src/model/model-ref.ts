/** A model as a queued generation names it. */
export interface ModelRef {
  id: string
  revision: string
}

/** Name of a revision of a model, one text. A model's id has no "@". */
export const keyOf = ({ id, revision }: ModelRef): string => `${id}@${revision}`
