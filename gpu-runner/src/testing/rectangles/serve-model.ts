import { CAPABILITIES, type CapabilityName, type FamilyCard, type GenerationInput, settingsOf } from '@nextscale/openapi'
import { JobError } from '../../errors.ts'
import type { GenerationPlan, ServedModel } from '../../families/family.ts'
import { requireTaken } from '../../families/require-taken.ts'
import { seedOf } from '../../families/seed-of.ts'
import type { ManifestFile } from '../../model/manifest-file.ts'
import { toImageRequest } from './image-request.ts'
import { type Manifest, parseRectangles, type RectanglesOpening } from './manifest.ts'
import { packTokens } from './pack-tokens.ts'
import { SCALES, SIZE_NAMES, type SizeName, sizeOf, tokensOf } from './shape.ts'

const TAKEN = [
  'prompt',
  'negative_prompt',
  'size',
  'cfg',
  'stop_at_scale',
  'previews',
  'return_tokens'
] as const satisfies readonly CapabilityName[]

const DEFAULTS = { cfg: 3 }
const LAST_SCALE = 2

const cardOf = ({ id, name, description, revision, license }: Manifest): FamilyCard => ({
  id,
  name,
  description: description ?? null,
  revision,
  license,
  family: 'rectangles',
  sizes: SIZE_NAMES.map(sizeOf),
  scales: [...SCALES['24x16']],
  vocabulary_size: null,
  parameters: { transformer: 0, tokenizer: 0 },
  capabilities: TAKEN,
  defaults: DEFAULTS,
  classes: null
})

/** The size of the pictures, the default one where none is in force. */
const sizeIn = ({ model, size }: GenerationInput): SizeName => {
  const found = size === null ? '24x16' : SIZE_NAMES.find((name) => name === size)
  if (found) return found
  throw new JobError('invalid_job', `${model} draws no pictures of ${size}.`)
}

const planOf = (input: GenerationInput): GenerationPlan => {
  requireTaken(input, TAKEN)
  const size = sizeIn(input)
  const last = input.stop_at_scale ?? LAST_SCALE
  if (last > LAST_SCALE) throw new JobError('invalid_job', `${input.model} has no scale ${last}.`)
  return {
    ...sizeOf(size),
    scaleTokens: SCALES[size].slice(0, last + 1).map(tokensOf),
    requestOf: (index) => toImageRequest(input, size, last, index),
    settingsOf: (index) => settingsOf(CAPABILITIES, TAKEN, input, seedOf(input.seed, index)),
    packTokens
  }
}

/**
 * Opens a folder of the family: a manifest is all there is to it.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const serveModel = async (_folder: string, file: ManifestFile): Promise<ServedModel> => {
  const manifest = parseRectangles(file)
  const { id, revision } = manifest
  return {
    id,
    revision,
    family: 'rectangles',
    opening: { scaleMs: manifest.scale_ms } satisfies RectanglesOpening,
    // A manifest is all it is made of.
    files: [],
    memoryBytes: () => 0,
    verifyHashes: async () => undefined,
    card: () => cardOf(manifest),
    plan: planOf
  }
}
