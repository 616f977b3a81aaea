import { stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { hashFile } from '../../../model/hash-file.ts'
import { MANIFEST_FILE } from '../../../model/manifest-file.ts'
import { openModel } from '../model/open-model.ts'
import { buildGraphs } from '../model/build-graphs.ts'
import { type Command, WrongCommandLine, type Context, parse } from '../../../cli/command.ts'
import { describeModel } from './describe-model.ts'
import { draftManifest, finishManifest, type Wishes } from './draft-manifest.ts'
import { formatBytes } from '../../../units.ts'
import { formatTable } from '../../../cli/format.ts'
import { type Placed, placeFile } from '../../../checkpoint/place-file.ts'
import { type PlannedModel, plannedFiles, planModel } from './plan-weights.ts'
import { refuseExisting, writeFolder } from '../../../cli/write-folder.ts'

const usage = `nextscale models add --vae FILE --var FILE [options]
  Makes a folder of a VAR model of a tokenizer and a transformer: .pth, safetensors, or the *.index.json of shards.
  --id ID            its name in requests; default: var-d16 and so on for published sizes, else from the file's name
  --name NAME        its name for people
  --to FOLDER        where it goes; default: models/<id>
  --classes FILE     class names, one a line; default: ImageNet's where there are 1000
  --license TEXT     the license of the weights
  --scales 1,2,3,..  sides of the token maps; needed where the checkpoint does not tell them
  --copy             copies the weights; otherwise they are hard links where the file system allows it`

const OPTIONS = {
  vae: { type: 'string' },
  var: { type: 'string' },
  id: { type: 'string' },
  name: { type: 'string' },
  to: { type: 'string' },
  classes: { type: 'string' },
  license: { type: 'string' },
  scales: { type: 'string' },
  copy: { type: 'boolean', default: false }
} as const

const parseScales = (text: string): number[] => {
  const scales = text.split(/[\s,]+/).map(Number)
  const grow = scales.every((side, k) => Number.isInteger(side) && side > (scales[k - 1] ?? 0))
  if (grow && scales.length >= 2 && scales.length <= 64) return scales
  throw new WrongCommandLine(`--scales must be 2 to 64 growing integers separated by commas, such as 1,2,3,4, not "${text}".`)
}

const required = (value: string | undefined, option: string, what: string): string => {
  if (value) return resolve(value)
  throw new WrongCommandLine(`${option} is missing: give the ${what}'s file.`)
}

const refuseEmpty = (values: Readonly<Record<string, string | boolean | undefined>>): void => {
  for (const [option, value] of Object.entries(values)) {
    if (typeof value === 'string' && value.trim() === '')
      throw new WrongCommandLine(`--${option} is empty: give a value or leave it out.`)
  }
}

const parseAdd = (args: string[]) => {
  const { values } = parse(args, OPTIONS, { usage, positionals: [0, 0] })
  refuseEmpty(values)
  const { id, name, license, classes, copy } = values
  const wishes: Wishes = {
    id,
    name,
    license,
    classes,
    scales: values.scales === undefined ? undefined : parseScales(values.scales)
  }
  const [vae, transformer] = [required(values.vae, '--vae', 'tokenizer'), required(values.var, '--var', 'transformer')]
  return { vae, transformer, to: values.to, copy, wishes }
}

interface PlacedFiles {
  hashes: Map<string, string>
  rows: string[][]
}

const EXPLAINED: Readonly<Record<Placed, string>> = {
  linked: 'linked: it takes no room of its own',
  copied: 'copied'
}

const placeFiles = async (folder: string, model: PlannedModel, copy: boolean, signal: AbortSignal): Promise<PlacedFiles> => {
  const [hashes, rows]: [Map<string, string>, string[][]] = [new Map(), []]
  for (const { source, name } of plannedFiles(model)) {
    const target = join(folder, name)
    const placed = await placeFile(source, target, { copy, signal })
    hashes.set(name, await hashFile(target, signal))
    const why = placed === 'copied' && !copy ? ', since it cannot be linked from there' : ''
    rows.push([`  ${name}`, formatBytes((await stat(target)).size), `${EXPLAINED[placed]}${why}`])
  }
  return { hashes, rows }
}

const report = async (target: string, rows: string[][], hasLicense: boolean, { say }: Context): Promise<void> => {
  const { id, name, resolution, classes, parameters, precision, revision } = describeModel(await openModel(target))
  say(`${id} (${name}): ${resolution}, ${classes} classes, ${parameters} parameters, ${precision}, revision ${revision}`)
  say(...formatTable(rows))
  if (!hasLicense) say('  The license of the weights is not stated; --license states it.')
  say(`Try it:    npm run models -- check ${target}`)
  say(`Serve it:  MODELS=${target} npm start`)
}

/** Makes a model folder; it is there when it is complete, or not at all. */
export const add: Command = {
  usage,
  run: async (args, context) => {
    const { vae, transformer, to, copy, wishes } = parseAdd(args)
    const model = await planModel(vae, transformer)
    const { manifest, shape } = await draftManifest(model, wishes)
    const target = resolve(to ?? join('models', manifest.id))
    const argument = to === undefined ? '--id or --to' : '--to'
    await refuseExisting(target, argument)
    const { tokenizer, transformer: blocks } = model
    buildGraphs({ manifest, shape, folder: target, tokenizer: tokenizer.weights, transformer: blocks.weights })
    const rows = await context.stoppable((signal) =>
      writeFolder(target, argument, async (folder) => {
        const placed = await placeFiles(folder, model, copy, signal)
        const finished = finishManifest(manifest, model, placed.hashes)
        await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(finished, undefined, 2)}\n`)
        await openModel(folder)
        signal.throwIfAborted()
        return placed.rows
      })
    )
    await report(target, rows, wishes.license !== undefined, context)
  }
}
