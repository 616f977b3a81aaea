import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { inherited } from './config.ts'
import { helmPath } from './find-helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 60_000

export const CHART = resolve(import.meta.dirname, '..', '..', 'helm', 'nextscale')
export const EXAMPLES = ['disk', 's3', 'gpu'] as const
export const NAMESPACE = 'pictures'
/** One that was built from its module does not know which Kubernetes it is for. */
const KUBERNETES = ['--kube-version', '1.34.0']

export type Values = Record<string, unknown>

export const readYaml = async (...path: string[]): Promise<unknown> => parse(await readFile(join(CHART, ...path), 'utf8'))

export const exampleOf = (example: string | undefined): string[] =>
  example === undefined ? [] : ['-f', join(CHART, 'examples', `${example}.yaml`)]

/** Runs helm with no files of its own but in a folder that is gone afterwards. Values come after what `args` name. */
export const runHelm = async (args: readonly string[], values?: Values): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-helm-'))
  try {
    const file = join(folder, 'values.json')
    await writeFile(file, JSON.stringify(values ?? {}))
    const env = { ...inherited(), HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder }
    const { stdout } = await run(helmPath, values === undefined ? args : [...args, '-f', file], {
      env,
      timeout: TIMEOUT_MS,
      maxBuffer: 2 ** 26
    })
    return stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const lint = (example: string | undefined, values: Values = {}): Promise<string> =>
  runHelm(['lint', '--strict', CHART, ...KUBERNETES, ...exampleOf(example)], values)

/** The objects that an example, and values put over it, make. As Kubernetes does, numbers are read by YAML 1.1. */
export const render = async (
  example: string | undefined,
  values: Values = {},
  release = 'nextscale'
): Promise<KubernetesObject[]> => {
  const text = await runHelm(['template', release, CHART, '--namespace', NAMESPACE, ...KUBERNETES, ...exampleOf(example)], values)
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0]
    const object = document.toJS() as KubernetesObject | null
    return object === null ? [] : [object]
  })
}

/** Why helm refuses values; fails where it takes them. */
export const refusal = async (values: Values, example?: string): Promise<string> => {
  try {
    await render(example, values)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error(`These values are taken: ${JSON.stringify(values)}`)
}
