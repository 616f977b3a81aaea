import { listAt, type Resource, textAt, textsAt, type Value } from './resources.ts'

export interface Statement {
  sid: string
  effect: string
  actions: string[]
  /** Those that are known. */
  resources: string[]
  principals: string[]
  hasCondition: boolean
}

const statementOf = (value: Value): Statement => ({
  sid: textAt(value, 'sid') ?? '',
  effect: textAt(value, 'effect') ?? 'Allow',
  actions: textsAt(value, 'actions'),
  resources: textsAt(value, 'resources'),
  principals: listAt(value, 'principals').flatMap((principal) => textsAt(principal, 'identifiers')),
  hasCondition: listAt(value, 'condition').length > 0
})

/** Documents of policies by their addresses, as their data sources have them. */
export const policiesOf = (resources: readonly Resource[]): Map<string, Statement[]> =>
  new Map(
    resources
      .filter(({ mode, type }) => mode === 'data' && type === 'aws_iam_policy_document')
      .map(({ address, values }) => [address, listAt(values, 'statement').map(statementOf)])
  )
