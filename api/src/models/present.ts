import type { Model, ModelCard } from '@nextscale/openapi'
import { toModel } from '../capabilities/to-model.ts'
import type { Services } from '../services.ts'

/** The public resource of a card; `first` is that of the default model. */
export const presentModel = async (
  { placement }: Pick<Services, 'placement'>,
  card: ModelCard,
  first: ModelCard | undefined
): Promise<Model> => {
  const pools = await placement.poolsOf({ model: card.id, model_revision: card.revision })
  return toModel(card, { pools, isDefault: card.id === first?.id })
}
