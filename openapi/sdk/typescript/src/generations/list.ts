import type { Generation, GenerationList, operations } from '../generated/contract.ts'
import { readJson } from '../transport/read-json.ts'
import type { Transport } from '../transport/transport.ts'
import type { CallOptions } from './create.ts'

/** Filters; `limit` is the size of a page, not of the list. */
export type ListFilters = NonNullable<operations['listGenerations']['parameters']['query']>

/** Generations, newest first; each page is fetched when its first generation is asked for. */
export async function* list(
  transport: Transport,
  filters: ListFilters = {},
  { signal }: CallOptions = {}
): AsyncGenerator<Generation, void> {
  let cursor = filters.cursor
  do {
    const call = { path: '/generations', query: { ...filters, cursor }, signal }
    const page = await transport.request(call, readJson<GenerationList>)
    yield* page.data
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}
