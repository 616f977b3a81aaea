import { setImmediate } from 'node:timers/promises'
import { ModelError } from '../errors.ts'
import type { ModelCommand, SamplerCommand, SamplerEvent } from './messages.ts'
import type { FamilyTable } from '../families/family.ts'
import type { OpenSampler, SampledPreview } from '../families/open-sampler.ts'

const samplers = new Map<string, OpenSampler>()
const dropped = new Map<number, Set<number>>()

const tell = (event: SamplerEvent): void => {
  // A runner that is gone is heard of by `disconnect`; until then what it is told is lost.
  process.send?.(event, undefined, undefined, () => undefined)
}

const load = async (families: FamilyTable, { model, record, form }: Extract<ModelCommand, { type: 'load' }>): Promise<void> => {
  const family = families[record.family]
  if (!family) throw new Error(`there is no family ${record.family}`)
  samplers.set(model, await family.openSampler(record.opening, form))
  tell({ type: 'loaded', model })
}

const release = async (model: string): Promise<void> => {
  const sampler = samplers.get(model)
  samplers.delete(model)
  await sampler?.release()
  tell({ type: 'released', model })
}

const sample = async (batch: number, model: string, images: readonly object[]): Promise<void> => {
  const sampler = samplers.get(model)
  if (!sampler) throw new Error(`model ${model} is not loaded`)
  dropped.set(batch, new Set())
  const afterScale = async ({ scale, elapsedMs }: { scale: number; elapsedMs: number }) => {
    tell({ type: 'scale', batch, scale, elapsedMs })
    // One turn of the event loop, so that drops sent meanwhile are heard.
    await setImmediate()
    return dropped.get(batch) ?? new Set<number>()
  }
  const onPreview = (preview: SampledPreview) => tell({ type: 'preview', batch, preview })
  const result = await sampler.sample(images, { afterScale, onPreview })
  tell({ type: 'sampled', batch, model, ...result })
}

const describe = (error: unknown) => (error instanceof Error ? error.message : String(error))

const refuse = (model: string, what: string) => (error: unknown) =>
  tell({ type: 'refused', model, message: error instanceof ModelError ? error.message : `${what}: ${describe(error)}` })

const obey = async (command: SamplerCommand, families: () => Promise<FamilyTable>): Promise<void> => {
  switch (command.type) {
    case 'load':
      return families()
        .then((table) => load(table, command))
        .catch(refuse(command.model, 'The model cannot be loaded'))
    case 'release':
      return release(command.model).catch(refuse(command.model, 'The memory of the model cannot be given back'))
    case 'sample':
      return sample(command.batch, command.model, command.images)
        .catch((error: unknown) => tell({ type: 'failed', batch: command.batch, message: describe(error) }))
        .finally(() => dropped.delete(command.batch))
    case 'drop':
      for (const image of command.images) dropped.get(command.batch)?.add(image)
  }
}

/** Obeys the runner until it disconnects. */
export const serveCommands = (families: () => Promise<FamilyTable>): void => {
  process.on('message', (command: SamplerCommand) => void obey(command, families))
  // The runner decides when to stop: what reaches the whole group, from a terminal or a supervisor, must not end a batch it
  // still waits for.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  process.on('disconnect', () => process.exit(0))
}
