import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BucketRefused, StoreUnavailable } from '@nextscale/platform/object-store'
import { s3Access } from '../config.ts'
import { readModelUrl } from '../bucket/model-url.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { listedFiles, MANIFEST_FILE, type ManifestFile, readManifestFile } from '../model/manifest-file.ts'
import { formatBytes } from '../units.ts'
import { type Command, CommandError, parse, WrongCommandLine } from './command.ts'
import { formatSeconds } from './format.ts'
import { requirePlace } from './require-place.ts'

const usage = `nextscale models push FOLDER s3://BUCKET/PREFIX [--replace]
  Puts a model folder into a bucket, where MODELS can name it: its weights, and its manifest last. S3_ENDPOINT, S3_REGION and
  the credentials are those of the runner.

  --replace  also where the prefix has another model, or another revision of it`

const OPTIONS = { replace: { type: 'boolean', default: false } } as const

/** Verified, since nobody could use it otherwise. */
const verified = async (folder: string): Promise<{ manifest: ManifestFile; files: string[] }> => {
  const model = await openServedModel(folder)
  await model.verifyHashes()
  const manifest = await readManifestFile(folder)
  // Whoever reads the manifest must find all that it lists.
  return { manifest, files: [...new Set(listedFiles(manifest).map(({ path }) => path)), MANIFEST_FILE] }
}

export const push: Command = {
  usage,
  run: async (args, { say, stoppable }) => {
    const { positionals, values } = parse(args, OPTIONS, { usage, positionals: [2, 2] })
    const [folder = '', address = ''] = positionals
    const target = readModelUrl(address)
    if ('fault' in target) throw new WrongCommandLine(`"${address}" is not the place of a model: ${target.fault}.`)
    const { manifest, files } = await verified(resolve(folder))
    const { openBucket } = await import('@nextscale/platform/bucket')
    const bucket = openBucket(s3Access(), target.bucket)
    try {
      await stoppable(async (signal) => {
        await requirePlace(bucket, { target, manifest, isReplacing: values.replace }, signal)
        for (const name of files) {
          const path = join(resolve(folder), name)
          const begun = performance.now()
          await bucket.putFile(`${target.prefix}${name}`, { path }, signal)
          say(`${name}  ${formatBytes((await stat(path)).size)} in ${formatSeconds(performance.now() - begun)}`)
        }
      })
    } catch (error) {
      if (error instanceof BucketRefused || error instanceof StoreUnavailable) throw new CommandError(error.message)
      throw error
    } finally {
      bucket.close()
    }
    say(`Serve it with`, `  MODELS=${target.url} npm start`)
  }
}
