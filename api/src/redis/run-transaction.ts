import type { IRedisTransaction, RedisClient } from 'bullmq'

/** What ioredis adds to the error of a transaction that was discarded: why its commands were refused. */
const causeOf = (error: unknown): unknown => {
  const { previousErrors } = error as { previousErrors?: readonly unknown[] }
  return previousErrors?.[0] ?? error
}

/** Texts of the scripts that a connection can run; ioredis does not say so in its types. */
const scriptsOf = (client: RedisClient): string[] =>
  Object.values((client as unknown as { scriptsSet: Record<string, { lua: string }> }).scriptsSet).map(({ lua }) => lua)

/**
 * ioredis sends a script's text once per connection, and takes it for known from then on. It is not if the transaction
 * it was part of was discarded, or Redis was told to forget it, and in a transaction ioredis does not notice.
 */
const teachScripts = async (client: RedisClient): Promise<void> => {
  await Promise.all(scriptsOf(client).map((text) => client.runCommand('script', ['LOAD', text])))
}

const isScriptUnknown = (error: unknown) => error instanceof Error && error.message.includes('NOSCRIPT')

/** Runs a transaction. Its results are untyped. Throws what the first command failed with, also where none was run. */
export const runTransaction = async (client: RedisClient, transaction: IRedisTransaction): Promise<readonly unknown[]> => {
  let results
  try {
    results = (await transaction.exec()) ?? []
  } catch (error) {
    // This one has failed whether that goes well or not; what it is for are those to come.
    void teachScripts(client).catch(() => undefined)
    throw causeOf(error)
  }
  for (const [error] of results) {
    if (isScriptUnknown(error)) void teachScripts(client).catch(() => undefined)
    if (error) throw error
  }
  return results.map(([, result]): unknown => result)
}
