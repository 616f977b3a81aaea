/** `nextscale keys`: makes, shows and revokes the API keys of the API that uses the same Redis and prefix. */
import { redisKeys } from '@nextscale/openapi'
import { openRedisAccess } from '@nextscale/platform'
import { chooseRedis } from '../../cli/config.ts'
import { withRedis } from '../../cli/connect.ts'
import { runCommand } from '../../cli/run-command.ts'
import type { KeyContext } from '../create.ts'
import { create } from './create.ts'
import { ensure } from './ensure.ts'
import { list } from './list.ts'
import { revoke } from './revoke.ts'

await runCommand<KeyContext>({
  name: 'keys',
  verbs: { create, list, revoke, ensure },
  open: async (work) => {
    const choice = await openRedisAccess(chooseRedis())
    return withRedis(choice, (redis) => work({ redis, keys: redisKeys(choice.redisPrefix) }))
  }
})
