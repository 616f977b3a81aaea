import { at, listAt, ofType, type Resource, textAt, textsAt } from './resources.ts'
import { policiesOf } from './policies.ts'

/** What must hold of the resources of a plan or a state; tells what does not. */
export interface Rule {
  name: string
  /** Addresses at fault, with what is wrong. */
  faults(resources: readonly Resource[]): string[]
  /** A type, or type and name, and the attribute that breaks the rule when it has this value; a test does so. */
  broken: [type: string, path: string, value: boolean | number | string]
}

const each = (type: string, isRight: (resource: Resource) => boolean) => (resources: readonly Resource[]) => {
  const found = ofType(resources, type)
  if (found.length === 0) return [`there is no ${type}`]
  return found.flatMap((resource) => (isRight(resource) ? [] : resource.address))
}

/** Each of one type has one of another beside it, under the same key. */
const paired = (type: string, other: string) => (resources: readonly Resource[]) => {
  const keyOf = ({ address }: Resource) => /\[.*\]$/.exec(address)?.[0] ?? ''
  const there = new Set(ofType(resources, other).map(keyOf))
  return ofType(resources, type).flatMap((resource) => (there.has(keyOf(resource)) ? [] : `${resource.address} has no ${other}`))
}

const anywhere = '0.0.0.0/0'

const ENCRYPTION: Rule[] = [
  {
    name: 'nodes of Valkey are encrypted at rest',
    faults: each('aws_elasticache_replication_group', ({ values }) =>
      [true, 'true'].includes(at(values, 'at_rest_encryption_enabled') as boolean)
    ),
    broken: ['aws_elasticache_replication_group', 'at_rest_encryption_enabled', false]
  },
  {
    name: 'disks of machines are encrypted',
    faults: each('aws_launch_template', ({ values }) =>
      listAt(values, 'block_device_mappings').every((disk) => at(disk, 'ebs.0.encrypted') === 'true')
    ),
    broken: ['aws_launch_template', 'block_device_mappings.0.ebs.0.encrypted', 'false']
  },
  {
    name: 'buckets are encrypted',
    faults: (resources) => [
      ...paired('aws_s3_bucket', 'aws_s3_bucket_server_side_encryption_configuration')(resources),
      ...each('aws_s3_bucket_server_side_encryption_configuration', ({ values }) =>
        ['AES256', 'aws:kms'].includes(textAt(values, 'rule.0.apply_server_side_encryption_by_default.0.sse_algorithm') ?? '')
      )(resources)
    ],
    broken: [
      'aws_s3_bucket_server_side_encryption_configuration',
      'rule.0.apply_server_side_encryption_by_default.0.sse_algorithm',
      ''
    ]
  },
  {
    name: 'images are encrypted, and their tags stay',
    faults: each(
      'aws_ecr_repository',
      ({ values }) =>
        listAt(values, 'encryption_configuration').length === 1 && at(values, 'image_tag_mutability') === 'IMMUTABLE'
    ),
    broken: ['aws_ecr_repository', 'image_tag_mutability', 'MUTABLE']
  }
]

const TLS: Rule[] = [
  {
    name: 'Valkey speaks TLS alone',
    faults: each(
      'aws_elasticache_replication_group',
      ({ values }) => at(values, 'transit_encryption_enabled') === true && at(values, 'transit_encryption_mode') === 'required'
    ),
    broken: ['aws_elasticache_replication_group', 'transit_encryption_mode', 'preferred']
  },
  {
    name: 'load balancers speak TLS 1.2 or newer alone',
    faults: (resources) =>
      ofType(resources, 'aws_lb_listener').flatMap(({ address, values }) =>
        at(values, 'protocol') === 'HTTPS' && /^ELBSecurityPolicy-TLS13-1-[23]-/.test(textAt(values, 'ssl_policy') ?? '')
          ? []
          : address
      ),
    broken: ['aws_lb_listener', 'protocol', 'HTTP']
  },
  {
    name: 'buckets refuse whoever comes without TLS',
    faults: (resources) => {
      const denied = [...policiesOf(resources)].filter(([, statements]) =>
        statements.some(({ sid, effect, hasCondition }) => sid === 'DenyWithoutTls' && effect === 'Deny' && hasCondition)
      )
      const missing = denied.length === ofType(resources, 'aws_s3_bucket').length ? [] : [`${denied.length} policies deny`]
      return [...missing, ...paired('aws_s3_bucket', 'aws_s3_bucket_policy')(resources)]
    },
    broken: ['aws_iam_policy_document.tls', 'statement.0.effect', 'Allow']
  }
]

const PRIVACY: Rule[] = [
  {
    name: 'buckets are not public',
    faults: (resources) => [
      ...paired('aws_s3_bucket', 'aws_s3_bucket_public_access_block')(resources),
      ...each('aws_s3_bucket_public_access_block', ({ values }) =>
        ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets'].every(
          (name) => at(values, name) === true
        )
      )(resources)
    ],
    broken: ['aws_s3_bucket_public_access_block', 'restrict_public_buckets', false]
  },
  {
    name: 'nothing gets a public address by itself',
    faults: (resources) => [
      ...each('aws_subnet', ({ values }) => at(values, 'map_public_ip_on_launch') === false)(resources),
      ...each('aws_ecs_service', ({ values }) => at(values, 'network_configuration.0.assign_public_ip') !== true)(resources)
    ],
    broken: ['aws_ecs_service', 'network_configuration.0.assign_public_ip', true]
  },
  {
    name: 'from anywhere only the load balancer is reached, by TLS',
    faults: (resources) => [
      ...ofType(resources, 'aws_vpc_security_group_ingress_rule').flatMap(({ address, values }) =>
        at(values, 'cidr_ipv4') !== anywhere || (address.includes('.balancer[') && at(values, 'to_port') === 443) ? [] : address
      ),
      ...ofType(resources, 'aws_security_group').flatMap(({ address, values }) =>
        textsAt(values, 'ingress').length === 0 ? [] : address
      )
    ],
    broken: ['aws_vpc_security_group_ingress_rule', 'cidr_ipv4', anywhere]
  },
  {
    name: 'machines give credentials to nobody but themselves',
    faults: each(
      'aws_launch_template',
      ({ values }) =>
        at(values, 'metadata_options.0.http_tokens') === 'required' &&
        at(values, 'metadata_options.0.http_put_response_hop_limit') === 1
    ),
    broken: ['aws_launch_template', 'metadata_options.0.http_put_response_hop_limit', 2]
  }
]

const KEEPING: Rule[] = [
  {
    name: 'Valkey evicts nothing',
    faults: each('aws_elasticache_parameter_group', ({ values }) =>
      listAt(values, 'parameter').some(
        (parameter) => at(parameter, 'name') === 'maxmemory-policy' && at(parameter, 'value') === 'noeviction'
      )
    ),
    broken: ['aws_elasticache_parameter_group', 'parameter.0.value', 'allkeys-lru']
  },
  {
    name: 'logs end',
    faults: each('aws_cloudwatch_log_group', ({ values }) => Number(at(values, 'retention_in_days')) > 0),
    broken: ['aws_cloudwatch_log_group', 'retention_in_days', 0]
  },
  {
    name: 'unfinished uploads and old images end',
    faults: (resources) => [
      ...each('aws_s3_bucket_lifecycle_configuration', ({ values }) =>
        listAt(values, 'rule').some((rule) => Number(at(rule, 'abort_incomplete_multipart_upload.0.days_after_initiation')) > 0)
      )(resources),
      ...paired('aws_ecr_repository', 'aws_ecr_lifecycle_policy')(resources)
    ],
    broken: ['aws_s3_bucket_lifecycle_configuration', 'rule.1.abort_incomplete_multipart_upload.0.days_after_initiation', 0]
  },
  {
    name: 'terraform destroy leaves buckets with what is in them',
    faults: each('aws_s3_bucket', ({ values }) => at(values, 'force_destroy') === false),
    broken: ['aws_s3_bucket', 'force_destroy', true]
  }
]

export const RULES: readonly Rule[] = [...ENCRYPTION, ...TLS, ...PRIVACY, ...KEEPING]
