import type { Statement } from './policies.ts'

/** Wildcards that stay, each with its reason: by the name of the statement and what has the wildcard. */
export const WILDCARDS: Readonly<Record<string, string>> = {
  'RegistryToken *': 'ECR takes no resource for ecr:GetAuthorizationToken',
  'NetworkInterfaces *': 'Lambda makes its interfaces before there is one to name',
  'DenyWithoutTls s3:*': 'it denies, and all must be denied',
  'DenyWithoutTls bucket/*': 'it denies, for every object',
  'Pictures bucket/*': 'the API reads, marks and removes pictures of ids that do not exist yet',
  'Pictures generations/*': 'keys of pictures hold ids that do not exist yet',
  'Models prefix/*': 'the files of a model, whose manifest names them',
  'Protection task/*': 'ids of tasks do not exist yet; the cluster is named',
  'Log streams': 'streams are made by each task; the log group is named'
}

/** What a wildcard is called in the table. */
const nameOf = (text: string): string => {
  if (text === '*' || text.endsWith(':*') === false) {
    if (text === '*') return '*'
    if (/^arn:[a-z-]+:ecs:.*:task\/[^*]+\/\*$/.test(text)) return 'task/*'
    if (/^arn:[a-z-]+:s3:::[^/*]+\/(.*\/)?generations\/\*$/.test(text)) return 'generations/*'
    if (/^arn:[a-z-]+:s3:::[^/*]+\/\*$/.test(text)) return 'bucket/*'
    if (/^arn:[a-z-]+:s3:::[^/*]+\/[^*]+\/\*$/.test(text)) return 'prefix/*'
    return text
  }
  return /^arn:[a-z-]+:logs:[^*]+:log-group:[^*]+:\*$/.test(text) ? 'streams' : text
}

/** Wildcards of a statement as the table has them. */
export const wildcardsOf = ({ sid, actions, resources }: Statement): string[] =>
  [...actions, ...resources].filter((text) => text.includes('*')).map((text) => `${sid} ${nameOf(text)}`)
