import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'

const ROOT = resolve(import.meta.dirname, '..')
const WORKSPACES = ['openapi', 'platform', 'api', 'gpu-runner', 'tests']
const FOLDERS = [...WORKSPACES, 'scripts']
const lines = (count: number) =>
  'export const later = () => undefined\n'.replace('later', 'first') + '// line\n'.repeat(count - 1)
const longFunction = (count: number) => `export const long = () => {\n${'  Math.random()\n'.repeat(count - 2)}}\n`

/** What the linter must refuse: the file, its content, and the rule that says so. */
const REFUSED: [path: string, content: string, rule: string][] = [
  ['openapi/src/imports-api.ts', "import '@nextscale/api'\n", 'no-restricted-imports'],
  ['openapi/src/reaches-out.ts', "import '../../api/src/app.ts'\n", 'no-restricted-imports'],
  ['openapi/src/exports-api.ts', "export * from '@nextscale/api'\n", 'no-restricted-imports'],
  ['openapi/src/imports-platform.ts', "import '@nextscale/platform'\n", 'no-restricted-imports'],
  ['platform/src/imports-api.ts', "import '@nextscale/api'\n", 'no-restricted-imports'],
  ['platform/src/imports-runner.ts', "import '@nextscale/gpu-runner'\n", 'no-restricted-imports'],
  ['platform/src/reaches-contract.ts', "import '../../openapi/src/index.ts'\n", 'no-restricted-imports'],
  ['tests/src/imports-platform.ts', "import '@nextscale/platform'\n", 'no-restricted-imports'],
  ['api/src/imports-runner.ts', "import '@nextscale/gpu-runner'\n", 'no-restricted-imports'],
  ['api/src/deep/reaches-contract.ts', "import '../../../openapi/src/index.ts'\n", 'no-restricted-imports'],
  [
    'api/src/imports-runner-type.ts',
    "import type { A } from '@nextscale/gpu-runner'\nexport type B = A\n",
    'no-restricted-imports'
  ],
  ['api/src/imports-sdk.ts', "import '@nextscale/sdk'\n", 'no-restricted-imports'],
  ['gpu-runner/src/imports-api.ts', "import '@nextscale/api'\n", 'no-restricted-imports'],
  ['gpu-runner/src/reaches-api.ts', "import '../../api/src/app.ts'\n", 'no-restricted-imports'],
  [
    'gpu-runner/src/imports-runtime.ts',
    "import { Tensor } from 'onnxruntime-node'\nexport const a = Tensor\n",
    'no-restricted-imports'
  ],
  ['scripts/imports-api.ts', "import '@nextscale/api'\n", 'no-restricted-imports'],
  ['scripts/reaches-api.ts', "import '../api/src/app.ts'\n", 'no-restricted-imports'],
  ['tests/src/imports-api.ts', "import '@nextscale/api'\n", 'no-restricted-imports'],
  ['tests/src/imports-runner.ts', "import '@nextscale/gpu-runner'\n", 'no-restricted-imports'],
  ['tests/src/imports-contract-code.ts', "import { a } from '@nextscale/openapi'\nexport const b = a\n", 'no-restricted-imports'],
  ['tests/src/reaches-api.ts', "import '../../api/src/app.ts'\n", 'no-restricted-imports'],
  ['api/src/reads-environment.ts', "export const a = process.env['A']\n", 'no-process-env'],
  ['gpu-runner/src/reads-environment.ts', 'export const a = process.env\n', 'no-process-env'],
  ['openapi/src/reads-environment.ts', "export const a = process.env['A']\n", 'no-process-env'],
  ['api/src/imports-process.ts', "import { env } from 'node:process'\nexport const a = env\n", 'no-restricted-imports'],
  ['api/src/too-long.ts', lines(301), 'max-lines'],
  ['api/src/too-long.test.ts', lines(601), 'max-lines'],
  ['api/src/long-function.ts', longFunction(51), 'max-lines-per-function'],
  ['api/src/cycle-a.ts', "import { b } from './cycle-b.ts'\nexport const a = () => b\n", 'no-cycle'],
  ['api/src/cycle-b.ts', "import { a } from './cycle-a.ts'\nexport const b = () => a\n", 'no-cycle'],
  ['api/src/default-export.ts', 'export default 1\n', 'no-default-export'],
  ['api/src/explicit-any.ts', 'export const a = (b: any) => typeof b\n', 'no-explicit-any'],
  ['api/src/non-null.ts', 'export const a = (b?: { c: number }) => b!.c\n', 'no-non-null-assertion'],
  ['api/src/type-import.ts', "import { Stats } from 'node:fs'\nexport type A = Stats\n", 'consistent-type-imports'],
  ['api/src/unused.ts', 'const unused = 1\nexport const a = 2\n', 'no-unused-vars'],
  ['api/src/floating.ts', 'export const a = () => {\n  Promise.resolve(1)\n}\n', 'no-floating-promises'],
  ['api/src/loose-equality.ts', 'export const a = (b: unknown) => b == 1\n', 'eqeqeq'],
  ['api/src/camelCase.ts', 'export const a = 1\n', 'filename-case'],
  ['api/src/prints.ts', "export const a = () => console.log('b')\n", 'one-door'],
  ['gpu-runner/src/prints.ts', "export const a = () => process.stdout.write('b')\n", 'one-door'],
  ['platform/src/prints.ts', "export const a = () => process['stderr'].write('b')\n", 'one-door'],
  ['scripts/prints.ts', 'export const a = process.stdout\n', 'one-door'],
  ['openapi/src/prints.ts', "export const a = () => console['error']('b')\n", 'one-door'],
  ['openapi/sdk/typescript/src/cli/prints.ts', 'export const { stderr } = process\nexport const a = console\n', 'one-door'],
  [
    'api/src/waits.test.ts',
    'export const a = async (b: () => Promise<boolean>) => {\n  while (await b());\n}\n',
    'bounded-waits'
  ],
  [
    'tests/src/waits.test.ts',
    `export const a = async (b: Promise<void>) => {\n  do {\n    await b\n  } while (Math.random() > 0)\n}\n`,
    'bounded-waits'
  ],
  ['tests/src/support/waits.ts', `export const a = async (b: Promise<void>) => {\n  for (;;) await b\n}\n`, 'bounded-waits'],
  [
    'platform/src/testing/waits.ts',
    `export const a = async (b: Promise<void>, c: () => boolean) => {\n  for (; c();) await b\n}\n`,
    'bounded-waits'
  ]
]

/** What lies just on the right side of a wall. */
const ALLOWED: [path: string, content: string][] = [
  ['api/src/looks.ts', 'export const a = () => process.stdout.isTTY\n'],
  ['api/src/prints.test.ts', "console.log('b')\n"],
  ['platform/src/terminal/print.ts', "export const a = () => process.stdout.write('b')\n"],
  ['api/src/imports-contract.ts', "import { a } from '@nextscale/openapi'\nexport const b = a\n"],
  ['platform/src/imports-contract.ts', "import { a } from '@nextscale/openapi'\nexport const b = a\n"],
  ['api/src/imports-platform.ts', "import { a } from '@nextscale/platform'\nexport const b = a\n"],
  ['gpu-runner/src/imports-platform.ts', "import { a } from '@nextscale/platform'\nexport const b = a\n"],
  ['gpu-runner/src/imports-contract.ts', "import { a } from '@nextscale/openapi'\nexport const b = a\n"],
  ['gpu-runner/src/imports-runtime-type.ts', "import type { Tensor } from 'onnxruntime-node'\nexport type A = Tensor\n"],
  ['tests/src/imports-sdk.ts', "import { Nextscale } from '@nextscale/sdk/source'\nexport const a = Nextscale\n"],
  ['tests/src/imports-contract-type.ts', "import type { A } from '@nextscale/openapi'\nexport type B = A\n"],
  [
    'tests/src/imports-document.ts',
    "import a from '@nextscale/openapi/openapi.json' with { type: 'json' }\nexport const b = a\n"
  ],
  ['api/src/deep/imports-neighbour.ts', "import { b } from '../imports-contract.ts'\nexport const c = b\n"],
  ['api/src/config.ts', "export const a = process.env['A']\n"],
  ['gpu-runner/src/reads.test.ts', "export const a = process.env['A']\n"],
  ['scripts/reads.ts', "export const a = process.env['A']\n"],
  ['api/src/long-enough.ts', lines(300)],
  ['api/src/long-enough.test.ts', lines(600)],
  ['api/src/function.ts', longFunction(50)],
  ['api/src/waits.ts', 'export const a = async (b: () => Promise<boolean>) => {\n  while (await b());\n}\n'],
  [
    'api/src/waits-until.test.ts',
    `export const a = async (b: Promise<void>, deadline: number) => {\n  while (performance.now() < deadline) await b\n}\n`
  ],
  ['api/src/counts.test.ts', `export const a = async (b: Promise<void>) => {\n  for (let c = 0; c < 3; c += 1) await b\n}\n`],
  ['api/src/does-not-wait.test.ts', `export const a = (b: () => boolean) => {\n  while (b());\n}\n`]
]

interface Diagnostic {
  code: string
  filename: string
}

const lint = (cwd: string): Promise<Diagnostic[]> =>
  new Promise((resolve, reject) => {
    execFile('oxlint', ['--format=json', ...FOLDERS], { cwd, maxBuffer: 16 * 1024 * 1024 }, (_error, stdout) => {
      try {
        resolve((JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics)
      } catch (error) {
        reject(new Error(`oxlint did not answer in JSON: ${stdout}`, { cause: error }))
      }
    })
  })

/** A repository that has nothing but these files, under the real rules. */
const sampleRepository = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-walls-'))
  for (const name of ['.oxlintrc.json', 'tsconfig.base.json', 'package.json']) await cp(join(ROOT, name), join(folder, name))
  await cp(join(ROOT, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const [path, content] of [...REFUSED, ...ALLOWED]) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  for (const name of WORKSPACES) {
    await cp(join(ROOT, name, 'package.json'), join(folder, name, 'package.json'))
    await cp(join(ROOT, name, 'tsconfig.json'), join(folder, name, 'tsconfig.json'))
  }
  return folder
}

describe('the walls', () => {
  let folder: string
  let diagnostics: Diagnostic[]
  const rulesAgainst = (path: string) =>
    diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code.replace(/^.*\(|\)$/g, ''))

  before(async () => {
    folder = await sampleRepository()
    diagnostics = await lint(folder)
  })
  after(() => rm(folder, { recursive: true }))

  for (const [path, , rule] of REFUSED) {
    it(`refuses ${path} by ${rule}`, () =>
      assert.ok(rulesAgainst(path).includes(rule), rulesAgainst(path).join() || 'nothing was said'))
  }
  for (const [path] of ALLOWED) {
    it(`lets ${path} be`, () => assert.deepEqual(rulesAgainst(path), []))
  }

  it('turns every warning into a failure', async () => {
    const { options } = JSON.parse(await readFile(join(ROOT, '.oxlintrc.json'), 'utf8')) as { options: { denyWarnings: boolean } }
    assert.equal(options.denyWarnings, true)
  })
})
