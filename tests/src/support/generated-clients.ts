import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunTool } from './generator-tools.ts'

const DOCUMENT = fileURLToPath(import.meta.resolve('@nextscale/openapi/openapi.json'))

/** A client that a generator makes of the contract, and a program that uses it. */
export interface GeneratedClient {
  /** The generator. */
  name: string
  /** Makes the client in a folder. */
  generate(run: RunTool, folder: string): Promise<unknown>
  /** A program that makes a picture, reads another generation, and prints what it has read as JSON. Its arguments: base URL, API key, id. */
  file: string
  program: string
  /** Holds client and program against their types, as strictly as the client is written. */
  compile(run: RunTool, folder: string): Promise<unknown>
  /** How the program is run. */
  command: readonly [string, string]
}

const TSC = '--strict --noEmitOnError --skipLibCheck false --target es2022 --lib es2022,dom,dom.iterable --outDir built'
/** Modules without file extensions, which some clients have, are of this kind. */
const NODE = '--module commonjs --moduleResolution node10'

const compileTypescript: GeneratedClient['compile'] = (run, folder) =>
  run(folder, 'tsc', ...`${TSC} ${NODE} program.ts`.split(' '))

const TYPESCRIPT = { file: 'program.ts', compile: compileTypescript, command: ['node', 'built/program.js'] } as const

const inMain = (imports: string, body: string) => `${imports}
declare const process: { argv: string[] }
const [, , base = '', key = '', earlier = ''] = process.argv
const main = async (): Promise<void> => {
${body}
}
void main()
`

const typescriptFetch: GeneratedClient = {
  name: 'openapi-generator for TypeScript (typescript-fetch)',
  generate: (run, folder) =>
    run(folder, 'openapi-generator-cli', 'generate', '-i', DOCUMENT, '-g', 'typescript-fetch', '-o', 'client'),
  ...TYPESCRIPT,
  program: inMain(
    `import { Configuration, type GenerateRequest, GenerationsApi } from './client/index'`,
    `
  const api = new GenerationsApi(new Configuration({ basePath: base, accessToken: key }))
  const generateRequest: GenerateRequest = { className: 'fox', seed: 7, schedule: null, label: null, previews: 'auto' }
  const { id } = await api.createGeneration({ generateRequest })
  const { status, outputs, input: { keep: none }, createdAt } = await api.getGeneration({ id, wait: 60 })
  const { input: { keep, schedule } } = await api.getGeneration({ id: earlier })
  const url = outputs[0]?.url
  console.log(JSON.stringify({ status, url, none, year: createdAt.getFullYear(), kept: keep?.scales, cfg: schedule?.cfg }))`
  )
}

const heyApi: GeneratedClient = {
  name: '@hey-api/openapi-ts',
  generate: (run, folder) => run(folder, 'openapi-ts', '-i', DOCUMENT, '-o', 'client', '--no-log-file'),
  ...TYPESCRIPT,
  program: inMain(
    `import { createGeneration, getGeneration, type GenerateRequest } from './client'
import { client } from './client/client.gen'`,
    `
  client.setConfig({ baseUrl: base, auth: key })
  const body: GenerateRequest = { class_name: 'fox', seed: 7, schedule: null, label: null, previews: 'auto' }
  const { data: accepted } = await createGeneration({ body, throwOnError: true })
  const { data: made } = await getGeneration({ path: { id: accepted.id }, query: { wait: 60 }, throwOnError: true })
  const { data: other } = await getGeneration({ path: { id: earlier }, throwOnError: true })
  const { keep, schedule } = other.input
  const [url, year] = [made.outputs[0]?.url, new Date(made.created_at).getFullYear()]
  console.log(JSON.stringify({ status: made.status, url, none: made.input.keep, year, kept: keep?.scales, cfg: schedule?.cfg }))`
  )
}

const openapiTypescript: GeneratedClient = {
  name: 'openapi-typescript',
  // Without the option, every field that has a default would have to be sent.
  generate: (run, folder) =>
    run(folder, 'openapi-typescript', DOCUMENT, '--default-non-nullable=false', '-o', 'client/contract.ts'),
  ...TYPESCRIPT,
  program: inMain(
    `import type { components } from './client/contract'`,
    `
  type Generation = components['schemas']['Generation']
  const headers = { authorization: 'Bearer ' + key, 'content-type': 'application/json' }
  const send = async (path: string, init?: RequestInit): Promise<Generation> =>
    (await fetch(base + path, { ...init, headers })).json()
  const body: components['schemas']['GenerateRequest'] = {
    class_name: 'fox', seed: 7, schedule: null, label: null, previews: 'auto'
  }
  const accepted = await send('/generate', { method: 'POST', body: JSON.stringify(body) })
  const made = await send('/generations/' + accepted.id + '?wait=60')
  const { keep, schedule } = (await send('/generations/' + earlier)).input
  const [url, year] = [made.outputs[0]?.url, new Date(made.created_at).getFullYear()]
  console.log(JSON.stringify({ status: made.status, url, none: made.input.keep, year, kept: keep?.scales, cfg: schedule?.cfg }))`
  )
}

const PYTHON = { file: 'program.py', command: ['python', 'program.py'] } as const

const openapiGeneratorPython: GeneratedClient = {
  name: 'openapi-generator for Python',
  generate: (run, folder) => run(folder, 'openapi-generator-cli', 'generate', '-i', DOCUMENT, '-g', 'python', '-o', '.'),
  ...PYTHON,
  // The client brings the settings of mypy that it is written for; `--strict` it is not.
  compile: async (run, folder) => {
    await run(folder, 'python', '-m', 'compileall', '-q', 'openapi_client')
    await run(folder, 'mypy', '--config-file', 'pyproject.toml', '-p', 'openapi_client')
    await run(folder, 'mypy', '--strict', '--follow-imports', 'silent', 'program.py')
  },
  program: `import json
import sys

from openapi_client import ApiClient, Configuration, GenerateRequest, GenerationsApi
from openapi_client.models.generate_request_previews import GenerateRequestPreviews

base, key, earlier = sys.argv[1:]
with ApiClient(Configuration(host=base, access_token=key)) as client:
    api = GenerationsApi(client)
    previews = GenerateRequestPreviews("auto")
    request = GenerateRequest(class_name="fox", seed=7, schedule=None, label=None, previews=previews)
    made = api.get_generation(api.create_generation(request).id, wait=60)
    other = api.get_generation(earlier).input
    kept, cfg = other.keep and other.keep.scales, other.schedule and other.schedule.cfg
    result = {"status": made.status, "url": made.outputs[0].url, "none": made.input.keep, "year": made.created_at.year}
    print(json.dumps({**result, "kept": kept, "cfg": cfg}))
`
}

const openapiPythonClient: GeneratedClient = {
  name: 'openapi-python-client',
  generate: async (run, folder) => {
    await writeFile(join(folder, 'config.yml'), 'package_name_override: nextscale_client\npost_hooks: []\n')
    const options = ['--config', 'config.yml', '--meta', 'none', '--output-path', 'nextscale_client', '--fail-on-warning']
    await run(folder, 'openapi-python-client', 'generate', '--path', DOCUMENT, ...options)
  },
  ...PYTHON,
  compile: async (run, folder) => {
    // `client.py`, which is the same for every contract, hands on arguments without their types.
    await writeFile(
      join(folder, 'mypy.ini'),
      '[mypy]\nstrict = True\n[mypy-nextscale_client.client]\ndisable_error_code = arg-type\n'
    )
    await run(folder, 'mypy', '-p', 'nextscale_client')
    await run(folder, 'mypy', 'program.py')
  },
  program: `import json
import sys

from nextscale_client import AuthenticatedClient
from nextscale_client.api.generations import create_generation, get_generation
from nextscale_client.models import GenerateRequest, GenerateRequestPreviewsType0, Generation

base, key, earlier = sys.argv[1:]
client = AuthenticatedClient(base_url=base, token=key)
previews = GenerateRequestPreviewsType0.AUTO
request = GenerateRequest(class_name="fox", seed=7, schedule=None, label=None, previews=previews)
accepted = create_generation.sync(client=client, body=request)
assert isinstance(accepted, Generation), accepted
made = get_generation.sync(accepted.id, client=client, wait=60)
other = get_generation.sync(earlier, client=client)
assert isinstance(made, Generation) and isinstance(other, Generation)
keep, schedule = other.input_.keep, other.input_.schedule
kept, cfg = keep and keep.scales, schedule and schedule.cfg
result = {"status": made.status, "url": made.outputs[0].url, "none": made.input_.keep, "year": made.created_at.year}
print(json.dumps({**result, "kept": kept, "cfg": cfg}))
`
}

export const GENERATED_CLIENTS: readonly GeneratedClient[] = [
  typescriptFetch,
  heyApi,
  openapiTypescript,
  openapiGeneratorPython,
  openapiPythonClient
]

/** Makes and compiles a client and its program in a folder of their own; returns a function that runs the program. */
export const makeClient = async (client: GeneratedClient, run: RunTool, parent: string) => {
  const folder = join(parent, client.name.replaceAll(/\W+/g, '-'))
  await mkdir(folder)
  await client.generate(run, folder)
  await writeFile(join(folder, client.file), client.program)
  await client.compile(run, folder)
  return async (...args: readonly string[]): Promise<unknown> => JSON.parse(await run(folder, ...client.command, ...args))
}
