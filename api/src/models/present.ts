import type { Model, ModelCard } from '@nextscale/openapi'
import { publicFields } from '../capabilities/public-fields.ts'
import type { Services } from '../services.ts'

/** The public resource of a card; `first` is that of the default model. */
export const presentModel = async (
  { placement }: Pick<Services, 'placement'>,
  card: ModelCard,
  first: ModelCard | undefined
): Promise<Model> => {
  const pools = await placement.poolsOf({ model: card.id, model_revision: card.revision })
  return { ...publicFields(card), pools: [...pools], default: card.id === first?.id }
}
