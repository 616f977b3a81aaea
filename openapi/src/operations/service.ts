import Type from 'typebox'
import { defineOperation } from '../operation.ts'
import { oneOf } from '../schemas/primitives.ts'

export const getHealth = defineOperation({
  operationId: 'getHealth',
  method: 'GET',
  path: '/healthz',
  tag: 'service',
  summary: 'Whether the process is alive',
  responses: { 200: { description: 'Alive.', schema: Type.Object({ status: oneOf(['ok']) }) } },
  problems: []
})

export const getReadiness = defineOperation({
  operationId: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  tag: 'service',
  summary: 'Whether requests would be accepted now',
  responses: { 200: { description: 'Ready.', schema: Type.Object({ status: oneOf(['ok']) }) } },
  problems: ['queue_unavailable', 'no_models']
})
