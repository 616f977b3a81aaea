import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { pythonEnv } from './testing/python-env.ts'

const SDK = resolve(import.meta.dirname, '../openapi/sdk/python')

const env = await pythonEnv(join(SDK, 'requirements.txt'))
const generator = join(SDK, 'scripts', 'generate.py')
process.exitCode = spawnSync(env.python, [generator], { env: env.environment(process.env), stdio: 'inherit' }).status ?? 1
