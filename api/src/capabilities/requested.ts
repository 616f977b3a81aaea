import type { CapabilityName, GenerateRequest, GenerationInput } from '@nextscale/openapi'
import type { WithoutNulls } from '../http/without-nulls.ts'

/** A request for something new, as handlers get it. */
export type Requested = WithoutNulls<GenerateRequest>

/** What is in force of all that models may honour. */
export type Settings = Pick<GenerationInput, CapabilityName>
