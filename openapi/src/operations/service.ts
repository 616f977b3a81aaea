import Type from 'typebox'
import { defineOperation } from '../operation.ts'
import { Health, ServiceStatus } from '../schemas/status.ts'

export const getHealth = defineOperation({
  operationId: 'getHealth',
  method: 'GET',
  path: '/healthz',
  tag: 'service',
  scope: null,
  summary: 'Whether the process is alive',
  description: 'Asks nobody else, so that a probe never restarts a sound process because Redis is away.',
  responses: { 200: { description: 'Alive.', schema: Health } },
  problems: []
})

export const getReadiness = defineOperation({
  operationId: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  tag: 'service',
  scope: null,
  summary: 'Whether requests would be accepted now',
  description:
    'For load balancers: 503 while Redis is away, before the first model, and from the moment the process is told to stop.',
  responses: { 200: { description: 'Ready.', schema: Health } },
  problems: ['queue_unavailable', 'no_models', 'shutting_down']
})

export const getStatus = defineOperation({
  operationId: 'getStatus',
  method: 'GET',
  path: '/status',
  tag: 'service',
  scope: 'read',
  summary: 'Capacity: queue, runners, speed of each model',
  responses: { 200: { description: 'As it is now.', schema: ServiceStatus } },
  problems: []
})

export const getMetrics = defineOperation({
  operationId: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  tag: 'service',
  scope: 'admin',
  summary: 'Metrics of this API process and of the queue, for Prometheus',
  responses: { 200: { description: 'Prometheus text format.', schema: Type.String(), contentTypes: ['text/plain'] } },
  problems: []
})
