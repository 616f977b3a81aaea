import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pythonEnv } from '../../../scripts/testing/python-env.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

const FOLDER = join(import.meta.dirname, 'kubernetes')
const TIMEOUT_MS = 120_000

/** The oldest that the chart takes, and the newest whose schemas are there. */
export const KUBERNETES_VERSIONS = ['1.28', '1.37'] as const

const env = await pythonEnv(join(FOLDER, 'requirements.txt')).catch((error: unknown) =>
  error instanceof Error ? error.message : String(error)
)

/** Why nothing can be held against the published schemas; false where it can. */
export const schemasMissing: string | false = typeof env === 'string' ? env : false

/** What is wrong with objects, by the schemas that Kubernetes publishes: a line for each fault. */
export const faultsOf = (objects: readonly KubernetesObject[]): Promise<string[]> =>
  new Promise((resolve, reject) => {
    if (typeof env === 'string') return reject(new Error(env))
    const args = [join(FOLDER, 'validate.py'), ...KUBERNETES_VERSIONS]
    const child = execFile(env.python, args, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 }, (error, stdout) => {
      if (error) return reject(error)
      resolve(stdout.split('\n').filter((line) => line !== ''))
    })
    child.stdin?.end(JSON.stringify(objects))
  })
