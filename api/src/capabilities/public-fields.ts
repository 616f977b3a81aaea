import type { Model, ModelCard } from '@nextscale/openapi'

/** What everybody may know of a card. */
export const publicFields = ({
  classes: _classes,
  order: _order,
  announced_at: _announcedAt,
  ...fields
}: ModelCard): Omit<Model, 'default' | 'pools'> => fields
