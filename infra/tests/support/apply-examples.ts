import { cp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Emulator } from './emulator.ts'
import { asFlags, VARIABLES, type Variables } from './plan-example.ts'
import type { Plan, State } from './resources.ts'
import { init, standIn, terraform } from './terraform.ts'

const ZIP = resolve(import.meta.dirname, '..', '..', '..', 'api', 'dist', 'lambda.zip')

/** An example on the emulator, in a copy of the modules. */
export interface Stack {
  apply(more?: Variables, args?: readonly string[]): Promise<string>
  state(): Promise<State>
  /** What is to be changed where all is as it was. */
  planAgain(): Promise<Plan>
  destroy(more?: Variables): Promise<string>
}

/** Opens an example in a copy of its own of a copy of the modules. */
export const openStack = async (
  copy: string,
  name: keyof typeof VARIABLES,
  emulator: Emulator,
  own: Variables
): Promise<Stack> => {
  const cwd = join(copy, 'examples', `${name}-applied`)
  await cp(join(copy, 'examples', name), cwd, { recursive: true })
  await init(cwd)
  const env = standIn(emulator.url)
  const flags = (more: Variables) => asFlags({ ...VARIABLES[name], ...own, lambda_package: ZIP, ...more })
  const run = (args: readonly string[], more: Variables = {}) => terraform(cwd, [...args, ...flags(more)], env)
  const show = async <T>(...args: string[]) => JSON.parse(await terraform(cwd, ['show', '-json', ...args], env)) as T
  return {
    apply: (more, args = []) => run(['apply', '-auto-approve', '-input=false', '-parallelism=30', ...args], more),
    state: () => show<State>(),
    planAgain: async () => {
      await run(['plan', '-input=false', '-out=again'])
      return show<Plan>('again')
    },
    destroy: (more) => run(['destroy', '-auto-approve', '-input=false', '-parallelism=30'], more)
  }
}
