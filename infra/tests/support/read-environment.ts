import { readConfig as readApi } from '../../../api/src/config.ts'
import { readControlConfig } from '../../../api/src/control/config.ts'
import { readConfig as readRunner } from '../../../gpu-runner/src/config.ts'

type Environment = Readonly<Record<string, string | undefined>>

export const READERS = { api: readApi, control: readControlConfig, runner: readRunner } as const

export type ProcessName = keyof typeof READERS

export const isProcess = (name: string | undefined): name is ProcessName => name !== undefined && Object.hasOwn(READERS, name)

/** Reads an environment as a process does, which refuses what is wrong; tells which of its variables were never asked for. */
export const unreadVariables = (name: ProcessName, env: Environment): string[] => {
  const asked = new Set<string>()
  const watched = new Proxy(env, {
    get: (target, variable) => {
      if (typeof variable === 'string') asked.add(variable)
      return Reflect.get(target, variable) as unknown
    }
  })
  READERS[name](watched)
  return Object.keys(env).filter((variable) => !asked.has(variable))
}
