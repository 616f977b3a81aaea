import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const SHIPPED_MODEL = fileURLToPath(new URL('../../models/emoji-32', import.meta.url))
export const GOLDEN_MODEL = fileURLToPath(new URL('../../fixtures/var-d2-256', import.meta.url))

/** A folder that is gone when the test ends. */
export const temporaryFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
