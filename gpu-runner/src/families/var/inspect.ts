import type { ManifestFile } from '../../model/manifest-file.ts'
import { verifyValues } from '../../model/verify-values.ts'
import { formatSeconds } from '../../cli/format.ts'
import type { Inspection } from '../inspection.ts'
import { describeModel } from './cli/describe-model.ts'
import { buildGraphs } from './model/build-graphs.ts'
import { parseVarManifest } from './model/manifest.ts'
import { MAY_BE_ONE_VALUE } from './model/may-be-one-value.ts'
import { openDescribed } from './model/open-model.ts'
import { toServedModel } from './serve-model.ts'

/**
 * Opens a folder of a VAR model to be looked at.
 * @throws ModelError in one sentence that names what is wrong.
 */
export const inspectVar = async (folder: string, manifest: ManifestFile): Promise<Inspection> => {
  const model = await openDescribed(folder, parseVarManifest(manifest))
  return {
    model: toServedModel(model),
    name: model.manifest.name,
    facts: async () => {
      const { resolution, classes, parameters, precision } = describeModel(model)
      return { resolution, classes, parameters, precision }
    },
    check: async ({ precision, say }) => {
      const tensors = buildGraphs(model)
      say('shapes', 'every tensor the graphs need has the shape they need')
      await verifyValues(tensors, MAY_BE_ONE_VALUE)
      say('values', 'every weight is a number, and no matrix that must differ is of one value')
      const { smokeRun } = await import('./smoke-run.ts')
      const { loadMs, imageMs } = await smokeRun(model, precision)
      say('one image', `loaded in ${formatSeconds(loadMs)}, sampled in ${formatSeconds(imageMs)}`)
    }
  }
}
