import type { Capability, CapabilityTable } from './capability.ts'

interface Drawn {
  model: string
  model_revision: string
}

/**
 * What reproduces a picture, alone: the settings that its model has, as they are written into it. The order is part of the bytes of
 * pictures: model, what is drawn, seed, how it is drawn.
 */
export const settingsOf = (
  table: CapabilityTable,
  capabilities: readonly string[],
  input: Drawn,
  seed: number
): Record<string, unknown> => {
  const entries = Object.entries(table).filter(([name]) => capabilities.includes(name))
  const written = (kind: Capability['kind']) =>
    entries.flatMap(([name, capability]) => {
      if (capability.kind !== kind) return []
      const value: unknown = Reflect.get(input, name)
      return [[name, capability.written ? capability.written(value, capabilities) : value] as const]
    })
  const { model, model_revision } = input
  return { model, model_revision, ...Object.fromEntries(written('subject')), seed, ...Object.fromEntries(written('steering')) }
}
