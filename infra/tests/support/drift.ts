import type { Plan, Value } from './resources.ts'

/** A change that a second plan has, although nothing has changed: a resource without its index, and the attributes that differ. */
export type Drift = Readonly<Record<string, string>>

/** What the emulator forgets or makes up, which AWS does not. This may only shrink. */
export const KNOWN_DRIFT: Readonly<Record<string, { attributes: string; reason: string }>> = {
  'module.api.aws_ecs_service.this': {
    attributes: 'availability_zone_rebalancing health_check_grace_period_seconds',
    reason: 'moto keeps neither of a service'
  },
  'module.api.aws_vpc_security_group_egress_rule.balancer': {
    attributes: 'description',
    reason: 'moto forgets descriptions of rules that name a group'
  },
  'module.api.aws_vpc_security_group_ingress_rule.service': {
    attributes: 'description',
    reason: 'moto forgets descriptions of rules that name a group'
  },
  'module.control.aws_ecs_service.this': {
    attributes: 'availability_zone_rebalancing',
    reason: 'moto does not keep it'
  },
  'module.queue.aws_vpc_security_group_ingress_rule.clients': {
    attributes: 'description',
    reason: 'moto forgets descriptions of rules that name a group'
  },
  'module.runner.aws_ecs_service.this': {
    attributes:
      'availability_zone_rebalancing capacity_provider_strategy deployment_controller health_check_grace_period_seconds tags',
    reason: 'moto keeps no strategy of a service, without which the provider would make it anew'
  },
  'module.runner.aws_launch_template.this': {
    attributes: 'tag_specifications',
    reason: 'moto shows tags of the template as ones that it gives'
  }
}

const differ = (before: Value | undefined, after: Value | undefined): boolean => JSON.stringify(before) !== JSON.stringify(after)

/** What a plan would change. */
export const driftOf = ({ resource_changes: changes = [] }: Plan): Drift =>
  Object.fromEntries(
    changes
      .filter(({ mode, change }) => mode === 'managed' && !change.actions.every((action) => action === 'no-op'))
      .map(({ address, change: { before, after } }) => {
        const names = Object.keys(after ?? {}).filter((name) => differ(before?.[name], after?.[name]))
        return [address.replaceAll(/\[[^\]]*\]/g, ''), names.toSorted().join(' ')]
      })
  )
