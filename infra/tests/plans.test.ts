import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PASSWORD } from './support/answers.ts'
import { describeUnless } from './support/describe-unless.ts'
import { planExample } from './support/plan-example.ts'
import { policiesOf } from './support/policies.ts'
import { WILDCARDS, wildcardsOf } from './support/policy-wildcards.ts'
import { at, type Resource, resourcesOfPlan, type Value } from './support/resources.ts'
import { type Rule, RULES } from './support/rules.ts'
import { missing } from './support/terraform.ts'

const isOf =
  (wanted: string) =>
  ({ type, name }: Resource): boolean =>
    wanted === type || wanted === `${type}.${name}`

/** The same resources, one attribute of the first of a type changed. */
const breakRule = (resources: readonly Resource[], [type, path, value]: Rule['broken']): Resource[] => {
  const copy = structuredClone(resources) as Resource[]
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parentOf = ({ values }: Resource): Value | undefined => (names.length === 0 ? values : at(values, names.join('.')))
  // The last, since the first rule for what comes in is the balancer's own.
  const found = copy.findLast(
    (resource) => isOf(type)(resource) && typeof parentOf(resource) === 'object' && parentOf(resource) !== null
  )
  assert.ok(found, `there is no ${type} with ${path} to break`)
  Reflect.set(Object(parentOf(found)), last, value)
  return copy
}

const CASES = [
  ['dev', {}],
  ['complete', {}],
  ['complete', { api_mode: 'lambda' }]
] as const

describeUnless(missing, 'plans of the examples', async () => {
  const plans = await Promise.all(CASES.map(([name, more]) => planExample(name, more)))

  for (const [index, [name, more]] of CASES.entries())
    describe([name, ...Object.values(more)].join(' with '), () => {
      const planned = plans[index]
      const resources = planned === undefined ? [] : resourcesOfPlan(planned.plan)

      for (const rule of RULES) {
        it(rule.name, () => assert.deepEqual(rule.faults(resources), []))
        const [type] = rule.broken
        if (resources.some(isOf(type)))
          it(`${rule.name}: else it is told`, () => assert.notDeepEqual(rule.faults(breakRule(resources, rule.broken)), []))
      }

      // Many resources are known only once they are made: the test on the emulator sees them, and that each reason is needed.
      it('policies have no wildcards but those with a reason', () => {
        const found = [...policiesOf(resources).values()].flat().flatMap(wildcardsOf)
        assert.ok(found.length > 0)
        assert.deepEqual(
          found.filter((wildcard) => WILDCARDS[wildcard] === undefined),
          []
        )
      })

      it('the password is in no plan, and AWS is asked for nothing else', () => {
        assert.ok(planned)
        assert.equal(planned.text.includes(PASSWORD), false)
        assert.deepEqual(planned.others, [])
      })
    })
})
