import { generationPrefix, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { type Command, CommandError, parse, WrongCommandLine } from '../../cli/command.ts'
import { findOrphans, SAFE_ORPHAN_SECONDS } from '../../generations/find-orphans.ts'
import type { ObjectStore, StoredGeneration } from '@nextscale/platform/object-store'

const MOST_SHOWN = 50
const DAY_SECONDS = 86_400
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: DAY_SECONDS }

const usage = `nextscale objects orphans [--older-than AGE] [--remove] [--although-empty]
  Shows the objects of generations that Redis does not know of, because it lost its data, and removes them with --remove.
  AGE is how long they have lain unchanged, such as 90m, 12h or 7d; ${SAFE_ORPHAN_SECONDS / DAY_SECONDS}d unless given, when every generation has expired.
  Redis and store are those of the API: REDIS_URL, REDIS_PREFIX, OBJECT_DIR or S3_*. --although-empty removes younger objects
  also where Redis knows of no generation at all.`

export interface ObjectsContext {
  redis: Redis
  keys: RedisKeys
  folders: ObjectStore
}

const readAge = (text: string | undefined): number => {
  if (text === undefined) return SAFE_ORPHAN_SECONDS
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? 0)
  if (seconds > 0) return seconds
  throw new WrongCommandLine(
    `--older-than takes a number of seconds, minutes, hours or days such as 90m, 12h or 7d, not "${text}".`
  )
}

const bytesText = (bytes: number) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`)
const objectsText = (count: number) => `${count} object${count === 1 ? '' : 's'}`

const toLine = ({ id, objects, sizeBytes, changedAt }: StoredGeneration) =>
  `${id}  ${objectsText(objects)}, ${bytesText(sizeBytes)}, ${new Date(changedAt).toISOString().slice(0, 10)}`

const AGES = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute']
] as const

const ageText = (seconds: number): string => {
  const [size, unit] = AGES.find(([each]) => seconds % each === 0) ?? [1, 'second']
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const summaryOf = (found: readonly StoredGeneration[]) => {
  const objects = found.reduce((sum, each) => sum + each.objects, 0)
  const bytes = found.reduce((sum, each) => sum + each.sizeBytes, 0)
  const generations = found.length === 1 ? 'generation' : 'generations'
  return `${objectsText(objects)}, ${bytesText(bytes)}, of ${found.length} ${generations} that Redis does not know of`
}

/** Where Redis is not the one of the API, every picture would be one that nobody knows of. */
const checkNotEmpty = async ({ redis, keys }: ObjectsContext, seconds: number): Promise<void> => {
  if (seconds >= SAFE_ORPHAN_SECONDS || (await redis.exists(keys.expiry)) === 1) return
  throw new CommandError(
    `Redis knows of no generation at all, so that pictures might go which another one knows of. If it is the Redis of the API, say --although-empty.`
  )
}

const collect = async (context: ObjectsContext, seconds: number): Promise<StoredGeneration[]> => {
  const found: StoredGeneration[] = []
  const search = { ...context, store: context.folders, changedBefore: Date.now() - seconds * 1000 }
  for await (const stored of findOrphans(search)) found.push(stored)
  return found
}

export const orphans: Command<ObjectsContext> = {
  usage,
  prepare: (args) => {
    const options = {
      'older-than': { type: 'string' },
      remove: { type: 'boolean' },
      'although-empty': { type: 'boolean' }
    } as const
    const { values } = parse(args, options, usage)
    const seconds = readAge(values['older-than'])
    return async (context) => {
      if (values.remove && !values['although-empty']) await checkNotEmpty(context, seconds)
      const found = await collect(context, seconds)
      if (found.length === 0)
        return `There are no objects older than ${ageText(seconds)} of generations that Redis does not know of.`
      if (!values.remove) {
        const more = found.length > MOST_SHOWN ? [`… and ${found.length - MOST_SHOWN} more`] : []
        const lines = [...found.slice(0, MOST_SHOWN).map(toLine), ...more]
        return [...lines, `${summaryOf(found)}. --remove removes them.`].join('\n')
      }
      for (const { id } of found) await context.folders.remove(generationPrefix(id))
      return `Removed ${summaryOf(found)}.`
    }
  }
}
