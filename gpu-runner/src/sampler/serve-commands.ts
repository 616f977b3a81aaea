import { setImmediate } from 'node:timers/promises'
import { ModelError } from '../errors.ts'
import { keyOf } from '../model/model-ref.ts'
import { Weights } from '../model/weights.ts'
import type { ModelRecord, SamplerCommand, SamplerEvent } from './messages.ts'
import type { ImageRequest } from '../families/var/sampler/image-request.ts'
import type { SampledPreview } from '../families/var/sampler/sample-batch.ts'
import { type OpenSampler, openSampler, type SamplerForm } from '../families/var/open-sampler.ts'

const samplers = new Map<string, OpenSampler & { side: number }>()
const dropped = new Map<number, Set<number>>()

const tell = (event: SamplerEvent): void => {
  // A runner that is gone is heard of by `disconnect`; until then what it is told is lost.
  process.send?.(event, undefined, undefined, () => undefined)
}

const weights = ({ path, tensors }: ModelRecord['tokenizer']) => new Weights(path, tensors)

const load = async (models: readonly ModelRecord[], form: SamplerForm): Promise<void> => {
  for (const record of models) {
    const model = { ...record, tokenizer: weights(record.tokenizer), transformer: weights(record.transformer) }
    samplers.set(keyOf(model.manifest), { ...(await openSampler(model, form)), side: model.shape.resolution })
  }
  tell({ type: 'loaded' })
}

const sample = async (batch: number, model: string, images: readonly ImageRequest[]): Promise<void> => {
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
  tell({ type: 'sampled', batch, model, side: sampler.side, ...result })
}

const describe = (error: unknown) => (error instanceof Error ? error.message : String(error))

const obey = async (command: SamplerCommand): Promise<void> => {
  switch (command.type) {
    case 'load':
      return load(command.models, command.form).catch((error: unknown) => {
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
export const serveCommands = (): void => {
  process.on('message', (command: SamplerCommand) => void obey(command))
  // The runner decides when to stop: what reaches the whole group, from a terminal or a supervisor, must not end a batch it
  // still waits for.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  process.on('disconnect', () => process.exit(0))
}
