import type { Model, ModelCard } from '@nextscale/openapi'
import type { Services } from '../services.ts'

/** The public resource of a card; `first` is that of the default model. */
export const presentModel = async (
  { placement }: Pick<Services, 'placement'>,
  card: ModelCard,
  first: ModelCard | undefined
): Promise<Model> => {
  const { classes: _classes, order: _order, announced_at: _announcedAt, ...model } = card
  const pools = await placement.poolsOf({ model: card.id, model_revision: card.revision })
  return { ...model, pools: [...pools], default: card.id === first?.id }
}
