/** `nextscale objects`: looks after the pictures of the API that uses the same Redis, prefix and store. */
import { redisKeys } from '@nextscale/openapi'
import { openRedisAccess } from '@nextscale/platform'
import { CommandError } from '../../cli/command.ts'
import { withRedis } from '../../cli/connect.ts'
import { runCommand } from '../../cli/run-command.ts'
import { openObjectStore, StoreUnavailable } from '@nextscale/platform/object-store'
import { readObjectsConfig } from './config.ts'
import { type ObjectsContext, orphans } from './orphans.ts'

/** What kept a store from serving, which a client of the API is not told. */
const asStoreError = (error: unknown): unknown => {
  if (!(error instanceof StoreUnavailable)) return error
  const { cause } = error
  return new CommandError(`The object store does not serve: ${cause instanceof Error ? cause.message : String(cause)}.`)
}

await runCommand<ObjectsContext>({
  name: 'objects',
  verbs: { orphans },
  open: async (work) => {
    const config = await openRedisAccess(readObjectsConfig())
    const keys = redisKeys(config.redisPrefix)
    const folders = await openObjectStore(config.objectStore, 'looking')
    const context = { keys, folders }
    try {
      return await withRedis(config, (redis) =>
        work({ ...context, redis }).catch((error: unknown) => {
          throw asStoreError(error)
        })
      )
    } finally {
      folders.close()
    }
  }
})
