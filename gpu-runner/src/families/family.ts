import type { FamilyCard, GenerationInput } from '@nextscale/openapi'
import type { ManifestFile } from '../model/manifest-file.ts'
import type { ModelRef } from '../model/model-ref.ts'
import type { SamplerForm } from '../sampler/sampler-form.ts'
import type { Inspection } from './inspection.ts'
import type { OpenSampler } from './open-sampler.ts'

type Form = SamplerForm['form']

/** How a generation is made by its model: what the worker needs to know of it. */
export interface GenerationPlan {
  /** Width of each picture in pixels. */
  width: number
  /** Height of each picture in pixels. */
  height: number
  /** How many tokens of a picture each scale draws, coarse to fine: the units of progress. A draft has fewer scales. */
  scaleTokens: readonly number[]
  /** What the sampler is asked for picture `index`: plain data that only the family looks into. */
  requestOf(index: number): object
  /**
   * What reproduces picture `index`, as JSON: `settingsOf` of the contract makes it of what the model takes. It must not depend on the
   * other pictures of the generation: same seed, same bytes.
   */
  settingsOf(index: number): object
  /** What a picture was drawn as, in the form it is stored beside the picture. */
  packTokens(tokens: Int32Array): Uint8Array
}

/** A model folder that has been opened, and found to be whole but for its hashes. */
export interface ServedModel extends ModelRef {
  /** Its family's name in the table. */
  family: string
  /** What the family opens it from in the sampler process: plain data, which need not be read and checked again. */
  opening: unknown
  /** Real paths of the files its weights are read from. */
  files: readonly string[]
  /**
   * Holds the files of the weights against the hashes of the manifest.
   * @throws ModelError naming the file whose content is not the one the manifest promises.
   */
  verifyHashes(): Promise<void>
  /** Bytes that its weights take in memory, known before they are loaded. */
  memoryBytes(form: SamplerForm): number
  /** What the API is told about it. */
  card(form: Form): FamilyCard
  /**
   * Holds the settings of a generation against the model, as the API did, and says how it is made.
   * @throws JobError, and NotServed where another runner may do what this one cannot.
   */
  plan(input: GenerationInput, form: Form): GenerationPlan
}

/** What the models of one kind have in common. Its parts run in processes of their own, and each loads only what it needs. */
export interface Family {
  /**
   * Opens a model folder in the runner; the weights themselves stay on disk.
   * @throws ModelError in one sentence that names what is wrong.
   */
  open(folder: string, manifest: ManifestFile): Promise<ServedModel>
  /**
   * Opens a model folder for the commands, which show and check models.
   * @throws ModelError in one sentence that names what is wrong.
   */
  inspect(folder: string, manifest: ManifestFile): Promise<Inspection>
  /**
   * Loads a model in the sampler process.
   * @throws ModelError in one sentence for the operator.
   */
  openSampler(opening: unknown, form: SamplerForm): Promise<OpenSampler>
}

/** The families there are, by the name in a manifest. */
export type FamilyTable = Readonly<Record<string, Family>>
