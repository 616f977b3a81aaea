import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const GENERATOR = join(import.meta.dirname, '../generator')
const npm = (...args: string[]) => promisify(execFile)('npm', [...args, '--workspaces=false'], { cwd: GENERATOR })

test('the generated types are those of the contract: npm run generate', async () => {
  const isInstalled = existsSync(join(GENERATOR, 'node_modules/.package-lock.json'))
  if (!isInstalled) await npm('ci', '--ignore-scripts', '--no-audit', '--no-fund')
  await npm('run', 'check')
})
