import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { inherited, readPluginDir } from './config.ts'

const run = promisify(execFile)
const PROVIDER = 'registry.terraform.io/hashicorp/aws'
const PLACES = ['/usr/local/share/terraform/plugins', '/usr/share/terraform/plugins']
const TIMEOUT_MS = 5 * 60_000

export const TERRAFORM = resolve(import.meta.dirname, '..', '..', 'terraform')

/** Folder of the AWS provider: of the setting, or where Terraform itself looks for such. */
const pluginDir = [readPluginDir(), ...PLACES].find((place) => place !== undefined && existsSync(join(place, PROVIDER)))

const hasTerraform = await run('terraform', ['version']).then(
  () => true,
  () => false
)

/** Why suites that need Terraform are skipped; false where they need not be. */
export const missing: string | false = !hasTerraform
  ? 'there is no terraform in PATH'
  : pluginDir === undefined
    ? `there is no AWS provider: set TF_PLUGIN_DIR to a folder that holds ${PROVIDER}`
    : false

export const terraform = async (cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const options = {
    cwd,
    timeout: TIMEOUT_MS,
    maxBuffer: 2 ** 27,
    env: { ...inherited(), ...env, TF_IN_AUTOMATION: '1', NO_COLOR: '1' }
  }
  return (await run('terraform', args, options)).stdout
}

/** Works on a copy of all modules and examples, so that a run leaves nothing beside the sources. */
export const withCopy = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-terraform-'))
  try {
    await cp(TERRAFORM, folder, { recursive: true })
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** How Terraform reaches what stands in for AWS, and nothing else. */
export const standIn = (url: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '3',
  // Neither settings nor credentials of whoever runs this.
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_PROFILE: ''
})

export const init = (folder: string): Promise<string> =>
  terraform(folder, ['init', '-backend=false', '-input=false', `-plugin-dir=${pluginDir}`])
