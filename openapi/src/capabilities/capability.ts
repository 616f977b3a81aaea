import type { TSchema } from 'typebox'

/**
 * What a capability is about: `subject` says what is drawn, `steering` how, and `product` what is made of it beside the pictures,
 * or how far. Subjects and steering are written into pictures, since another picture comes of them.
 */
export type CapabilityKind = 'subject' | 'steering' | 'product'

/**
 * What some models honour and others do not: a field of requests and of the settings in force, under the same name. All that is
 * said of it in the contract follows from this.
 */
export interface Capability {
  kind: CapabilityKind
  /** What a request may say; left out, or `null`, the default holds: the model's where there is `ofModel`, else the neutral one. */
  asked: TSchema
  /** What is said of the field of requests, where `asked` has a name and a description of its own. */
  description?: string
  /** The value in force. */
  value: TSchema
  /** The value in force that asks for nothing: that of models without the capability, and of jobs queued before there was any. */
  neutral: unknown
  /** What a request says that asks for nothing, where it is not written as the value in force is. */
  nothing?: unknown
  /** The default that a model has of its own; its card and resource say it. */
  ofModel?: TSchema
  /** One scale's value; makes the capability a field of `schedule`, too. */
  perScale?: { value: TSchema; description: string }
  /** What lies in the queue, where jobs of an earlier release may lack a part of it. */
  queued?: TSchema
  /** Completes such a part. */
  complete?(queued: unknown): unknown
  /** What of it is written into the pictures of a model with these capabilities; all of it where this says nothing. */
  written?(value: unknown, capabilities: readonly string[]): unknown
}

/** Capabilities by the name of their field. */
export type CapabilityTable = Readonly<Record<string, Capability>>
