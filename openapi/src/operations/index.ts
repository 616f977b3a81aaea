import type { Operation } from '../operation.ts'
import { cancelGeneration, createGeneration, deleteGeneration, getGeneration, listGenerations } from './generations.ts'
import { getModel, listModelClasses, listModels } from './models.ts'
import { getObject } from './objects.ts'
import { getHealth, getReadiness } from './service.ts'

/** Every operation, in the order of the reference. */
export const operations: readonly Operation[] = [
  createGeneration,
  getGeneration,
  listGenerations,
  cancelGeneration,
  deleteGeneration,
  listModels,
  getModel,
  listModelClasses,
  getObject,
  getHealth,
  getReadiness
]

export * from './generations.ts'
export * from './models.ts'
export * from './objects.ts'
export * from './service.ts'
