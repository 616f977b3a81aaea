export { Nextscale } from './client.ts'
export type { NextscaleOptions } from './config.ts'
export { ConnectionError, GenerationFailed, NextscaleError, TimeoutError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type {
  ContinueRequest,
  GenerateRequest,
  Generation,
  GenerationError,
  GenerationEvent,
  GenerationInput,
  GenerationMetrics,
  GenerationOutput,
  Model,
  ModelClass,
  Preview,
  Problem,
  Progress,
  ServiceStatus,
  WebhookAttempt,
  WebhookDelivery,
  WebhookKeySet,
  WebhookOutput,
  WebhookSecret,
  WebhookState
} from './generated/contract.ts'
export type { CallOptions, CreateOptions } from './generations/create.ts'
export type { EventsOptions } from './generations/events.ts'
export type { ListFilters } from './generations/list.ts'
export type { WaitOptions } from './generations/wait.ts'
export type { Models } from './models/models.ts'
export type { WebhookEvent } from './webhooks/event.ts'
export type { WebhookKey } from './webhooks/keys.ts'
export { verifyWebhook, WebhookVerificationError } from './webhooks/verify.ts'
export type { VerifiedWebhook, WebhookHeaders } from './webhooks/verify.ts'
export type { DeliveryFilters, Webhooks } from './webhooks/webhooks.ts'
