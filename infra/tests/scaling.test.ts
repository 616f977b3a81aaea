import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type ScalingTable, simulate } from './support/simulate-scaling.ts'
import { withCopy, init, missing, terraform } from './support/terraform.ts'

const ROOT = `
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

module "runner" {
  source            = "../modules/runner"
  name              = "scaling"
  cluster_arn       = "arn:aws:ecs:eu-central-1:123456789012:cluster/scaling"
  cluster_name      = "scaling"
  repository_arns   = ["arn:aws:ecr:eu-central-1:123456789012:repository/scaling"]
  metrics           = { namespace = "Nextscale/scaling" }
  pictures          = { bucket = "pictures", bucket_arn = "arn:aws:s3:::pictures" }
  redis_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url"
  subnet_ids        = ["subnet-1"]
  security_group_id = "sg-1"
  pools = { default = { image = "runner:1", models = ["s3://models/d16/1"], instance_types = ["g6.xlarge"], max = 8 } }
}
`

interface PlannedResource {
  type: string
  name: string
  values: Record<string, unknown>
}

interface Plan {
  planned_values: { root_module: { child_modules: { resources: PlannedResource[] }[] } }
}

interface Step {
  scaling_adjustment: number
  metric_interval_lower_bound: string
  metric_interval_upper_bound: string
}

const tableOf = (plan: Plan): ScalingTable => {
  const resources = plan.planned_values.root_module.child_modules.flatMap((module) => module.resources)
  const find = (type: string, name: string) => resources.find((each) => each.type === type && each.name === name)?.values ?? {}
  const [policy] = find('aws_appautoscaling_policy', 'out')['step_scaling_policy_configuration'] as [
    { cooldown: number; step_adjustment: Step[] }
  ]
  const bound = (text: string, open: number) => (text === '' || text === null ? open : Number(text))
  const out = find('aws_cloudwatch_metric_alarm', 'out')
  const idle = find('aws_cloudwatch_metric_alarm', 'in')
  const target = find('aws_appautoscaling_target', 'this')
  return {
    threshold: Number(out['threshold']),
    periodSeconds: Number(out['period']),
    cooldownSeconds: policy.cooldown,
    idleSeconds: Number(idle['period']) * Number(idle['evaluation_periods']),
    min: Number(target['min_capacity']),
    max: Number(target['max_capacity']),
    steps: policy.step_adjustment.map((step) => ({
      capacity: step.scaling_adjustment,
      lower: bound(step.metric_interval_lower_bound, -Infinity),
      upper: bound(step.metric_interval_upper_bound, Infinity)
    }))
  }
}

const plannedTable = () =>
  withCopy(async (folder) => {
    const cwd = join(folder, 'root')
    await mkdir(cwd)
    await writeFile(join(cwd, 'main.tf'), ROOT)
    await init(cwd)
    await terraform(cwd, ['plan', '-input=false', '-out=plan'])
    return tableOf(JSON.parse(await terraform(cwd, ['show', '-json', 'plan'])) as Plan)
  })

const HOUR = 3600

describe('the scaling of a pool', { skip: missing }, async () => {
  const table = missing ? undefined : await plannedTable()
  const replay = (arrivals: (second: number) => number, more: { poison?: boolean; lossAt?: number } = {}) => {
    assert.ok(table)
    return simulate({ table, arrivals, seconds: 4 * HOUR, startSeconds: 300, perRunnerPerSecond: 0.5, ...more })
  }

  it('has a step for every backlog, and no two for one', () => {
    assert.ok(table)
    const steps = table.steps.toSorted((a, b) => a.lower - b.lower)
    assert.deepEqual([steps[0]?.lower, steps.at(-1)?.upper, steps.at(-1)?.capacity], [0, Infinity, table.max])
    for (const [i, step] of steps.entries()) if (i > 0) assert.equal(step.lower, steps[i - 1]?.upper)
  })

  it('reaches the greatest number in a burst, works it off and goes back to none, without turning round', (t) => {
    const seen = replay((second) => (second === 60 ? 3000 : 0))
    t.diagnostic(`burst of 3000: ${seen.runnerHours.toFixed(2)} runner hours, busy for at most ${seen.longestBusySeconds} s`)
    assert.equal(seen.greatest, table?.max)
    assert.deepEqual([seen.backlog, seen.runners, seen.flaps], [0, 0, 0])
  })

  it('keeps one runner for a trickle', (t) => {
    const seen = replay((second) => (second % 240 === 0 && second < 2 * HOUR ? 1 : 0))
    t.diagnostic(`trickle: ${seen.runnerHours.toFixed(2)} runner hours, busy for at most ${seen.longestBusySeconds} s`)
    assert.deepEqual([seen.greatest, seen.backlog, seen.runners, seen.flaps], [1, 0, 0, 0])
  })

  it('gives one generation that never ends no more than one runner', () => {
    const seen = replay((second) => (second === 60 ? 1 : 0), { poison: true })
    assert.deepEqual([seen.greatest, seen.runners, seen.flaps], [1, 1, 0])
  })

  it('gets over the loss of all its Spot machines', () => {
    const seen = replay((second) => (second === 60 ? 3000 : 0), { lossAt: 1200 })
    assert.deepEqual([seen.greatest, seen.backlog, seen.runners, seen.flaps], [table?.max, 0, 0, 0])
  })
})
