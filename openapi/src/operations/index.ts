import type { Operation } from '../operation.ts'
import {
  cancelGeneration,
  continueGeneration,
  createGeneration,
  deleteGeneration,
  getGeneration,
  getGenerationEvents,
  listGenerations
} from './generations.ts'
import { getModel, listModelClasses, listModels } from './models.ts'
import { getObject } from './objects.ts'
import {
  getWebhookDelivery,
  getWebhookKeys,
  getWebhookSecret,
  listWebhookDeliveries,
  redeliverWebhook,
  rotateWebhookSecret,
  testWebhook
} from './webhooks.ts'
import { getHealth, getMetrics, getReadiness, getStatus } from './service.ts'

/** Every operation, in the order of the reference. */
export const operations: readonly Operation[] = [
  createGeneration,
  getGeneration,
  getGenerationEvents,
  listGenerations,
  continueGeneration,
  cancelGeneration,
  deleteGeneration,
  listModels,
  getModel,
  listModelClasses,
  listWebhookDeliveries,
  getWebhookDelivery,
  redeliverWebhook,
  testWebhook,
  getWebhookSecret,
  rotateWebhookSecret,
  getWebhookKeys,
  getObject,
  getStatus,
  getHealth,
  getReadiness,
  getMetrics
]

export * from './generations.ts'
export * from './models.ts'
export * from './objects.ts'
export * from './service.ts'
export * from './webhooks.ts'
