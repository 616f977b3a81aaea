import assert from 'node:assert/strict'
import type { Client } from './client.ts'

/** More than any test has. */
const MAX_PAGES = 1000

/** Follows the cursors of a list to the end. */
export const eachPage = async <T>(client: Client, path: string, take: (page: T[]) => void): Promise<void> => {
  let cursor: string | null = ''
  for (let pages = 0; cursor !== null; pages += 1) {
    assert.ok(pages < MAX_PAGES, `the cursors of ${path} have no end`)
    const { status, body } = await client.send('get', cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`)
    assert.equal(status, 200, JSON.stringify(body))
    const page = body as { data: T[]; next_cursor: string | null }
    take(page.data)
    cursor = page.next_cursor
  }
}
