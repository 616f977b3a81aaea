import { realpath } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { readCheckpoint } from '../../../checkpoint/read-checkpoint.ts'
import { isIndex, readShardNames } from '../../../checkpoint/read-index.ts'
import { CHECKPOINT_PARTS, type CheckpointRole } from '../model/checkpoint-parts.ts'
import { ModelError } from '../../../errors.ts'
import { isFileName } from '../../../model/manifest-file.ts'
import { Weights } from '../../../model/weights.ts'
import { CommandError } from '../../../cli/command.ts'

/** A file and its name in the model folder. */
export interface PlannedFile {
  source: string
  name: string
}

export interface PlannedWeights {
  weights: Weights
  file: PlannedFile
  shards: PlannedFile[]
}

const ARGUMENTS = { tokenizer: '--vae', transformer: '--var' } as const
/** A tensor that only the other part has. */
const FOREIGN = { tokenizer: 'class_emb.weight', transformer: 'quantize.embedding.weight' } as const
const OWN = { tokenizer: FOREIGN.transformer, transformer: FOREIGN.tokenizer } as const

const named = async <T>(role: CheckpointRole, step: Promise<T>): Promise<T> =>
  step.catch((error: unknown) => {
    throw error instanceof ModelError ? new ModelError(`${ARGUMENTS[role]}: ${error.message}`) : error
  })

const refuseForeign = (role: CheckpointRole, weights: Weights): void => {
  if (weights.has(OWN[role])) return
  const other = role === 'tokenizer' ? 'transformer' : 'tokenizer'
  const advice = weights.has(FOREIGN[role])
    ? `it is a ${other}, so give it as ${ARGUMENTS[other]}`
    : `it has no tensor ${OWN[role]}, so give the file of a VAR ${role}`
  throw new CommandError(`${ARGUMENTS[role]} ${weights.path} is no VAR ${role}: ${advice}.`)
}

/** The file's own name where a manifest can have it. */
const folderName = (role: CheckpointRole, path: string): string =>
  isFileName(basename(path)) ? basename(path) : `${role}${isIndex(path) ? '.index.json' : extname(path)}`

/**
 * Reads one part of a model and plans where its files go.
 * @throws ModelError or CommandError in one sentence that names the argument.
 */
const planPart = async (role: CheckpointRole, path: string): Promise<PlannedWeights> => {
  const weights = new Weights(path, await named(role, readCheckpoint(path, CHECKPOINT_PARTS[role])))
  refuseForeign(role, weights)
  const shards = isIndex(path) ? await named(role, readShardNames(path)) : []
  return {
    weights,
    file: { source: path, name: folderName(role, path) },
    shards: shards.map((name) => ({ source: join(dirname(path), name), name }))
  }
}

export interface PlannedModel {
  tokenizer: PlannedWeights
  transformer: PlannedWeights
}

const filesOf = ({ file, shards }: PlannedWeights): PlannedFile[] => [file, ...shards]

/** Two files cannot have one name; one file in both parts (a training checkpoint) can. */
const refuseCollisions = async ({ tokenizer, transformer }: PlannedModel): Promise<void> => {
  for (const ours of filesOf(tokenizer)) {
    for (const theirs of filesOf(transformer)) {
      if (ours.name !== theirs.name || (await realpath(ours.source)) === (await realpath(theirs.source))) continue
      throw new CommandError(`--vae and --var both have a file ${ours.name}: rename one of the two.`)
    }
  }
}

/**
 * Reads both parts of a model, whose weights stay where they are, and plans where their files go.
 * @throws ModelError or CommandError in one sentence that names the argument.
 */
export const planModel = async (vae: string, transformerPath: string): Promise<PlannedModel> => {
  const model = {
    tokenizer: await planPart('tokenizer', vae),
    transformer: await planPart('transformer', transformerPath)
  }
  await refuseCollisions(model)
  return model
}

/** Every file of a model, each once. */
export const plannedFiles = ({ tokenizer, transformer }: PlannedModel): PlannedFile[] => [
  ...new Map([...filesOf(tokenizer), ...filesOf(transformer)].map((file) => [file.name, file])).values()
]
