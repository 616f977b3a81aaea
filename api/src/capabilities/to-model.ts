import type { Model, ModelCard } from '@nextscale/openapi'

/** The public resource of a card. */
export const toModel = (
  { classes: _classes, order: _order, announced_at: _announcedAt, ...model }: ModelCard,
  { pools, isDefault }: { pools: readonly string[]; isDefault: boolean }
): Model => ({
  ...model,
  pools: [...pools],
  default: isDefault
})
