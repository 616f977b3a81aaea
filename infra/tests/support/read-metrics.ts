import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from './podman.ts'

const OBSERVABILITY = join(ROOT, 'infra', 'observability')
const METRIC = /\b(?:nextscale|process)_\w+/g
const LABELS = /\bby \(([\w, ]+)\)|\{(\w+)(?:=|!=|=~)"/g
/** Labels that Prometheus adds. */
const ADDED = ['job', 'instance', 'le']

export interface Query {
  readonly title: string
  readonly expr: string
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

/** Every query of the dashboard and of the alerts. */
export const readQueries = async (): Promise<Query[]> => {
  const dashboard = JSON.parse(await readFile(join(OBSERVABILITY, 'grafana', 'nextscale.json'), 'utf8')) as Dashboard
  const rules = parse(await readFile(join(OBSERVABILITY, 'alerts.yaml'), 'utf8')) as Rules
  return [
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
    ...rules.groups.flatMap(({ rules: own }) => own.map(({ alert, expr }) => ({ title: alert, expr })))
  ]
}

export const metricsIn = ({ expr }: Query): string[] => expr.match(METRIC) ?? []

export const labelsIn = ({ expr }: Query): string[] =>
  [...expr.matchAll(LABELS)]
    .flatMap(([, by, name]) => by?.split(',') ?? [name ?? ''])
    .map((label) => label.trim())
    .filter((label) => !ADDED.includes(label))

/** The names that a text of /metrics has series of, whether there are any yet or not. */
export const namesIn = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name]
    )
  )

/** Whether some metric of a text has a label. */
export const hasLabel = (text: string, label: string): boolean => new RegExp(`^\\w+\\{(?:.*,)?${label}="`, 'm').test(text)
