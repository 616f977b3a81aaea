import { setImmediate } from 'node:timers/promises'
import { ModelError } from '../errors.ts'
import { keyOf } from '../model/model-ref.ts'
import type { ModelRecord, SamplerCommand, SamplerEvent } from './messages.ts'
import type { FamilyTable } from '../families/family.ts'
import type { OpenSampler, SampledPreview } from '../families/open-sampler.ts'
import type { SamplerForm } from './sampler-form.ts'

const samplers = new Map<string, OpenSampler>()
const dropped = new Map<number, Set<number>>()

const tell = (event: SamplerEvent): void => {
  // A runner that is gone is heard of by `disconnect`; until then what it is told is lost.
  process.send?.(event, undefined, undefined, () => undefined)
}

const load = async (families: FamilyTable, models: readonly ModelRecord[], form: SamplerForm): Promise<void> => {
  for (const model of models) {
    const family = families[model.family]
    if (!family) throw new Error(`there is no family ${model.family}`)
    samplers.set(keyOf(model), await family.openSampler(model.opening, form))
  }
  tell({ type: 'loaded' })
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

const obey = async (command: SamplerCommand, families: () => Promise<FamilyTable>): Promise<void> => {
  switch (command.type) {
    case 'load':
      return families()
        .then((table) => load(table, command.models, command.form))
        .catch((error: unknown) => {
          const prefix = error instanceof ModelError ? '' : 'The model cannot be loaded: '
          tell({ type: 'refused', message: `${prefix}${describe(error)}` })
        })
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
