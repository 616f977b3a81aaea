import type { Redis } from 'ioredis'

/**
 * First line of a script that has to run also while Redis is over its `maxmemory`. Redis refuses a script's commands that
 * need memory only until one has run that writes and needs none, and removing what is not there is one.
 */
export const WHEN_FULL = "redis.call('DEL', KEYS[1] .. ':none')\n"

interface Script {
  lua: string
  numberOfKeys: number | null
}

/** ioredis keeps the scripts of a connection by name, and does not say so in its types. */
const scriptsOf = (redis: object): Readonly<Record<string, Script>> =>
  (redis as unknown as { scriptsSet: Record<string, Script> }).scriptsSet

/** Names of BullMQ's scripts, without the version. */
export const scriptNames = (client: object): string[] =>
  Object.keys(scriptsOf(client)).flatMap((command) => (command.includes(':') ? (command.split(':')[0] ?? []) : []))

/** Text of one of BullMQ's scripts, by its name without the version. Throws when there is none. */
export const scriptOf = (client: object, name: string): string => {
  const found = Object.entries(scriptsOf(client)).find(([command]) => command.startsWith(`${name}:`))
  if (found) return found[1].lua
  throw new Error(`BullMQ has no script ${name}`)
}

/** Puts another text in the place of one of BullMQ's scripts, on this connection. */
export const changeScript = (redis: Redis, name: string, change: (lua: string) => string): void => {
  const found = Object.entries(scriptsOf(redis)).find(([command]) => command.startsWith(`${name}:`))
  if (!found) throw new Error(`BullMQ has no script ${name}`)
  const [command, { lua, numberOfKeys }] = found
  redis.defineCommand(command, { lua: change(lua), ...(numberOfKeys !== null && { numberOfKeys }) })
}

/** Of BullMQ's scripts, those that put new jobs into a queue: a Redis that is full takes none. */
const isAddition = (name: string): boolean => name.startsWith('add')

/**
 * Lets the scripts of BullMQ that a connection knows run also while Redis is full, but for those that add jobs: what was
 * accepted is worked off, canceled and removed with memory that nothing new gets. Call it once BullMQ has the connection.
 */
export const workWhenFull = (redis: Redis): void => {
  for (const [name, { lua, numberOfKeys }] of Object.entries(scriptsOf(redis))) {
    // BullMQ's names end with its version.
    if (!name.includes(':') || isAddition(name) || lua.startsWith(WHEN_FULL) || numberOfKeys === null || numberOfKeys === 0)
      continue
    redis.defineCommand(name, { lua: WHEN_FULL + lua, numberOfKeys })
  }
}
