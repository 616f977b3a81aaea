import type { Model, ModelCard } from '@nextscale/openapi'

/** The public resource of a card: the first of the list is the default. */
export const toModel = (
  { classes: _classes, order: _order, announced_at: _announcedAt, ...model }: ModelCard,
  isDefault: boolean
): Model => ({
  ...model,
  default: isDefault
})
