import type { IRedisTransaction } from 'bullmq'

/** What ioredis adds to the error of a transaction that was discarded: why its commands were refused. */
const causeOf = (error: unknown): unknown => {
  const { previousErrors } = error as { previousErrors?: readonly unknown[] }
  return previousErrors?.[0] ?? error
}

/** Runs a transaction. Its results are untyped. Throws what the first command failed with, also where none was run. */
export const runTransaction = async (transaction: IRedisTransaction): Promise<readonly unknown[]> => {
  let results
  try {
    results = (await transaction.exec()) ?? []
  } catch (error) {
    throw causeOf(error)
  }
  for (const [error] of results) if (error) throw error
  return results.map(([, result]): unknown => result)
}
