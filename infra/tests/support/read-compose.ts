import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from './podman.ts'

export const COMPOSE = join(ROOT, 'infra', 'compose')
const VARIABLE = /\$\{(\w+)(?::-([^}]*))?\}/g

export interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly read_only?: boolean
  readonly user?: string
  readonly profiles?: readonly string[]
  readonly scale?: string
  readonly stop_grace_period?: string
  readonly logging?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> }
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>> | readonly string[]
}

export type Services = Readonly<Record<string, Service>>

const readText = () => readFile(join(COMPOSE, 'compose.yaml'), 'utf8')

/** The variables that the file asks for, with what it takes where they are not set. */
export const readVariables = async (): Promise<Map<string, string>> =>
  new Map([...(await readText()).matchAll(VARIABLE)].map(([, name = '', value = '']) => [name, value]))

/** Fills in the texts of a value, however deep. */
const fillIn = (value: unknown, fill: (text: string) => string): unknown => {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map((item: unknown) => fillIn(item, fill))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillIn(item, fill)]))
}

/** The services as compose sees them: anchors merged, and variables filled in, which leaves texts texts. */
export const readServices = async (env: Readonly<Record<string, string>> = {}): Promise<Services> => {
  const fill = (text: string) =>
    text.replaceAll(VARIABLE, (_, name: string, otherwise: string | undefined) => (env[name] ?? '') || (otherwise ?? ''))
  return (fillIn(parse(await readText(), { merge: true }), fill) as { services: Services }).services
}

/** The services that a service waits for, and the condition on each. */
export const dependenciesOf = ({ depends_on: named = {} }: Service): [name: string, condition: string][] =>
  Array.isArray(named)
    ? named.map((name: string) => [name, 'service_started'])
    : Object.entries(named as Record<string, { condition: string }>).map(([name, { condition }]) => [name, condition])

/** Names of the services of some profiles, those that others wait for first. */
export const orderServices = (services: Services, profiles: readonly string[] = []): string[] => {
  const ordered: string[] = []
  const visit = (name: string, path: readonly string[] = []): void => {
    const service = services[name]
    if (service === undefined) throw new Error(`${path.at(-1)} waits for ${name}, which there is not`)
    if (path.includes(name)) throw new Error(`${[...path, name].join(' waits for ')}`)
    if (ordered.includes(name)) return
    for (const [dependency] of dependenciesOf(service)) visit(dependency, [...path, name])
    ordered.push(name)
  }
  for (const [name, { profiles: own = [] }] of Object.entries(services)) {
    if (own.length === 0 || own.some((profile) => profiles.includes(profile))) visit(name)
  }
  return ordered
}

/** What a duration such as `30s` is in ms. */
export const toMs = (duration = '10s'): number => {
  const [, amount = '', unit = ''] = /^(\d+)(s|m)$/.exec(duration) ?? []
  if (amount === '') throw new Error(`"${duration}" is no duration that this test reads`)
  return Number(amount) * (unit === 'm' ? 60_000 : 1000)
}
