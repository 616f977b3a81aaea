import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { draftManifest, finishManifest } from '../cli/draft-manifest.ts'
import { plannedFiles, planModel } from '../cli/plan-weights.ts'
import { writeFolder } from '../../../cli/write-folder.ts'
import { hashFile } from '../../../model/hash-file.ts'
import { MANIFEST_FILE } from '../../../model/manifest-file.ts'
import {
  PUBLISHED_TOKENIZER,
  PUBLISHED_TRANSFORMERS,
  type PublishedSize,
  TOKENIZER_FILE,
  transformerFile
} from '../model/published.ts'
import { writeRandomTokenizer, writeRandomTransformer } from '../model/random-checkpoint.ts'

const writeManifest = async (folder: string, size: PublishedSize, signal: AbortSignal): Promise<void> => {
  const model = await planModel(join(folder, TOKENIZER_FILE), join(folder, transformerFile(size)))
  const hashes = new Map<string, string>()
  for (const { source, name } of plannedFiles(model)) hashes.set(name, await hashFile(source, signal))
  const { manifest } = await draftManifest(model, { name: `VAR-${size}, random weights` })
  const finished = finishManifest(manifest, model, hashes)
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(finished, undefined, 2)}\n`)
}

/** Makes a model folder of random weights in a published size, in the published format, or keeps the one that is there. */
export const prepareModel = async (folder: string, size: PublishedSize, signal: AbortSignal): Promise<void> => {
  const isThere = await access(join(folder, MANIFEST_FILE)).then(
    () => true,
    () => false
  )
  if (isThere) return
  await writeFolder(folder, '--size', async (staging) => {
    await writeRandomTokenizer(join(staging, TOKENIZER_FILE), PUBLISHED_TOKENIZER, { seed: 0, signal })
    await writeRandomTransformer(join(staging, transformerFile(size)), PUBLISHED_TRANSFORMERS[size], { seed: 0, signal })
    await writeManifest(staging, size, signal)
  })
}
