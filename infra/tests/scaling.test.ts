import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { describeUnless } from './support/describe-unless.ts'
import { type Loss, type ScalingTable, simulate } from './support/simulate-scaling.ts'
import { withCopy, init, missing, terraform, TERRAFORM } from './support/terraform.ts'

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
const START_SECONDS = 300
/** An estimate of a g6.xlarge of Spot, to compare the rows by: look up yours. */
const DOLLARS_AN_HOUR = 0.4

interface Recorded {
  /** What was run, and how it was recorded. */
  origin: string
  arrivals: [second: number, generations: number][]
  backlog: [second: number, generations: number][]
}

const recorded = JSON.parse(await readFile(join(import.meta.dirname, 'support/recorded-load.json'), 'utf8')) as Recorded

/** As many in each second as came then. */
const asRecorded = (second: number, times = 1): number =>
  recorded.arrivals.reduce((sum, [at, count]) => sum + (at === second ? count * times : 0), 0)

describeUnless(missing, 'the scaling of a pool', async () => {
  const table = await plannedTable()
  const rows: string[] = []
  const replay = (name: string, arrivals: (second: number) => number, more: { poison?: boolean; losses?: Loss[] } = {}) => {
    assert.ok(table)
    const seen = simulate({ table, arrivals, seconds: 4 * HOUR, startSeconds: START_SECONDS, perRunnerPerSecond: 0.5, ...more })
    const cost = (seen.runnerHours * DOLLARS_AN_HOUR).toFixed(2)
    const cells = [
      seen.greatest,
      seen.runnerHours.toFixed(2),
      `$${cost}`,
      seen.meanWaitSeconds.toFixed(0),
      seen.longestWaitSeconds
    ]
    rows.push([name.padEnd(38), ...cells.map((cell) => String(cell).padStart(9))].join(' '))
    return seen
  }
  it('has a step for every backlog, and no two for one', () => {
    assert.ok(table)
    const steps = table.steps.toSorted((a, b) => a.lower - b.lower)
    assert.deepEqual([steps[0]?.lower, steps.at(-1)?.upper, steps.at(-1)?.capacity], [0, Infinity, table.max])
    for (const [i, step] of steps.entries()) if (i > 0) assert.equal(step.lower, steps[i - 1]?.upper)
  })

  it('reaches the greatest number in a burst, works it off and goes back to none, without turning round', () => {
    const seen = replay('3000 at once', (second) => (second === 60 ? 3000 : 0))
    assert.equal(seen.greatest, table?.max)
    assert.deepEqual([seen.backlog, seen.runners, seen.flaps], [0, 0, 0])
    // A start, a period of the alarm, and all machines at once: nothing waits for longer.
    assert.ok(seen.longestWaitSeconds <= START_SECONDS + 60 + 3000 / (0.5 * seen.greatest), `${seen.longestWaitSeconds} s`)
  })

  it('keeps one runner for a trickle', () => {
    const seen = replay('one in 4 minutes, for 2 hours', (second) => (second % 240 === 0 && second < 2 * HOUR ? 1 : 0))
    assert.deepEqual([seen.greatest, seen.backlog, seen.runners, seen.flaps], [1, 0, 0, 0])
  })

  it('gives one generation that never ends no more than one runner', () => {
    const seen = replay('one that never ends', (second) => (second === 60 ? 1 : 0), { poison: true })
    assert.deepEqual([seen.greatest, seen.runners, seen.flaps], [1, 1, 0])
  })

  it('gets over the loss of all its Spot machines', () => {
    const losses = [{ atSecond: 600, runners: 8, backAfterSeconds: START_SECONDS }]
    const seen = replay('3000 at once, all lost amid', (second) => (second === 60 ? 3000 : 0), { losses })
    assert.deepEqual([seen.greatest, seen.backlog, seen.runners, seen.flaps], [table?.max, 0, 0, 0])
    assert.ok(seen.longestWaitSeconds > START_SECONDS + 3000 / (0.5 * 8), 'the loss cost nothing, so there was none')
  })

  it('gets over Spot without capacity for half of them for an hour, and one lost each ten minutes after', () => {
    const drought = { atSecond: 600, runners: 4, backAfterSeconds: HOUR }
    const each = [1, 2, 3, 4].map((n) => ({ atSecond: 600 + n * 600, runners: 1, backAfterSeconds: START_SECONDS }))
    const seen = replay('3000 at once, half lost for an hour', (second) => (second === 60 ? 3000 : 0), {
      losses: [drought, ...each]
    })
    assert.deepEqual([seen.greatest, seen.backlog, seen.runners, seen.flaps], [table?.max, 0, 0, 0])
  })

  it('serves a load that was recorded, and five of them at once', () => {
    const total = recorded.arrivals.reduce((sum, [, count]) => sum + count, 0)
    for (const times of [1, 5]) {
      const seen = replay(`recorded: ${times * total} in ${recorded.arrivals.at(-1)?.[0]} s`, (second) =>
        asRecorded(second, times)
      )
      assert.deepEqual([seen.backlog, seen.runners, seen.flaps], [0, 0, 0])
    }
  })

  it('is replayed as one runner was seen to work: the backlog of the model follows the one that was recorded', (t) => {
    // Later the machine had other work.
    const seen = recorded.backlog.filter(([second]) => second < 60)
    const meanOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0) / counts.length
    const one = { threshold: 1, periodSeconds: 60, cooldownSeconds: 0, idleSeconds: Infinity, min: 1, max: 1, steps: [] }
    const errorOf = (perRunnerPerSecond: number) => {
      const model = simulate({
        table: one,
        arrivals: (second) => asRecorded(second),
        seconds: 60,
        startSeconds: 0,
        perRunnerPerSecond
      })
      return meanOf(seen.map(([second, count]) => Math.abs((model.backlogs[second] ?? 0) - count)))
    }
    const rates = Array.from({ length: 400 }, (_, i) => (i + 1) / 20)
    const [rate = 0] = rates.toSorted((a, b) => errorOf(a) - errorOf(b))
    const mean = meanOf(seen.map(([, count]) => count))
    t.diagnostic(`at ${rate} generations a second it is off by ${errorOf(rate).toFixed(1)} of ${mean.toFixed(1)} on average`)
    assert.ok(mean > 10 && errorOf(rate) < 0.25 * mean)
    assert.ok(errorOf(rate * 2) > 0.25 * mean, 'any speed would do, so nothing is held against the record')
  })

  it('comes to what the README says', async (t) => {
    const titles = ['runners', 'hours', 'cost', 'mean s', 'longest s'].map((title) => title.padStart(9))
    const text = [['replay'.padEnd(38), ...titles].join(' '), ...rows].join('\n')
    t.diagnostic(`\n${text}`)
    const readme = await readFile(join(TERRAFORM, 'README.md'), 'utf8')
    assert.ok(readme.includes(text), `the table of infra/terraform/README.md is to be:\n${text}`)
  })
})
