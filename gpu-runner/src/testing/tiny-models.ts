import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { add } from '../families/var/cli/add.ts'
import type { Context } from '../cli/command.ts'
import type { ServedModel } from '../families/family.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { writeTinyCheckpoint } from '../families/var/testing/tiny-checkpoint.ts'

const { signal } = new AbortController()
const context: Context = { say: () => undefined, stoppable: (work) => work(signal) }

/** Three small models of one size and other weights; the third is another revision of the second. */
export const tinyModels = async (t: TestContext): Promise<[ServedModel, ServedModel, ServedModel]> => {
  const folder = await temporaryFolder(t)
  const make = async (id: string, seed: number): Promise<ServedModel> => {
    const checkpoint = join(folder, `checkpoint-${seed}`)
    await mkdir(checkpoint)
    const { vae, var: transformer } = await writeTinyCheckpoint(checkpoint, { seed })
    const to = join(folder, `model-${seed}`)
    await add.run(['--vae', vae, '--var', transformer, '--id', id, '--to', to], context)
    return openServedModel(to)
  }
  return [await make('one', 1), await make('other', 2), await make('other', 3)]
}
