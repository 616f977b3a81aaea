import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BucketRefused, NoSuchObject, StoreUnavailable } from '@nextscale/platform/object-store'
import type { Bucket } from '@nextscale/platform/bucket'
import { s3Access } from '../config.ts'
import { parseModelUrl } from '../bucket/model-url.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { listedFiles, MANIFEST_FILE, MAX_MANIFEST_BYTES, readManifestFile } from '../model/manifest-file.ts'
import { formatBytes } from '../units.ts'
import { type Command, CommandError, parse, WrongCommandLine } from './command.ts'
import { formatSeconds } from './format.ts'

const usage = `nextscale models push FOLDER s3://BUCKET/PREFIX
  Puts a model folder into a bucket, where MODELS can name it: its weights, and its manifest last. S3_ENDPOINT, S3_REGION and
  the credentials are those of the runner.`

/** Verified, since nobody could use it otherwise. */
const filesOf = async (folder: string): Promise<string[]> => {
  const model = await openServedModel(folder)
  await model.verifyHashes()
  const listed = listedFiles(await readManifestFile(folder))
  // Whoever reads the manifest must find all that it lists.
  return [...new Set(listed.map(({ path }) => path)), MANIFEST_FILE]
}

/** A server that refuses hangs up in the middle of an upload, and what it says is lost: it is asked before. */
const askFor = (bucket: Bucket, key: string, signal: AbortSignal): Promise<unknown> =>
  bucket.read(key, MAX_MANIFEST_BYTES, signal).catch((error: unknown) => {
    if (!(error instanceof NoSuchObject)) throw error
  })

export const push: Command = {
  usage,
  run: async (args, { say, stoppable }) => {
    const { positionals } = parse(args, {}, { usage, positionals: [2, 2] })
    const [folder = '', address = ''] = positionals
    const target = parseModelUrl(address)
    if (!target) throw new WrongCommandLine(`"${address}" is not the place of a model: it must look like s3://bucket/prefix.`)
    const files = await filesOf(resolve(folder))
    const { openBucket } = await import('@nextscale/platform/bucket')
    const bucket = openBucket(s3Access(), target.bucket)
    try {
      await stoppable(async (signal) => {
        await askFor(bucket, `${target.prefix}${MANIFEST_FILE}`, signal)
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
