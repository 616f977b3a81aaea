import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { calledBy, KNOWN_CLIENTS, unattributed } from './support/called-operations.ts'
import { describeUnless } from './support/describe-unless.ts'
import { planExample } from './support/plan-example.ts'
import { policiesOf } from './support/policies.ts'
import { resourcesOfPlan } from './support/resources.ts'
import { missing } from './support/terraform.ts'

/** Start files, and the document that says what each process may do. */
const PROCESSES = [
  ['complete', 'api/src/start.ts', 'module.api.data.aws_iam_policy_document.process'],
  ['complete', 'api/src/control/start.ts', 'module.control.data.aws_iam_policy_document.process'],
  ['complete', 'gpu-runner/src/start.ts', 'module.runner.data.aws_iam_policy_document.process["default"]'],
  ['complete', 'gpu-runner/src/start.ts', 'module.runner.data.aws_iam_policy_document.process["large"]'],
  ['complete', 'api/src/keys/cli/start.ts', 'module.control.data.aws_iam_policy_document.keys[0]'],
  ['dev', 'api/src/lambda.ts', 'module.api.data.aws_iam_policy_document.process']
] as const

/** What Lambda itself does by the role of a function, before the code runs and after. */
const OF_LAMBDA = ['Log', 'NetworkInterfaces']

describe('what processes ask of AWS', () => {
  it('is found in the code wherever it is asked', () => {
    assert.deepEqual(unattributed(), [])
    for (const [, start] of PROCESSES) {
      const { graph, elsewhere, actions } = calledBy(start)
      assert.ok(graph.files.size > 50 && actions.length > 0, `${start} leads nowhere`)
      assert.deepEqual(elsewhere, [], start)
      const clients = [...graph.packages].filter((name) => name.startsWith('@aws-sdk/client-'))
      assert.deepEqual(
        clients.filter((name) => !KNOWN_CLIENTS.includes(name)),
        [],
        start
      )
    }
  })

  describeUnless(missing, 'is what their roles allow', async () => {
    const plans = await Promise.all((['complete', 'dev'] as const).map((name) => planExample(name)))
    const [complete, dev] = plans.map(({ plan }) => policiesOf(resourcesOfPlan(plan)))

    for (const [example, start, address] of PROCESSES)
      it(`${start}, in ${example}: ${address}`, () => {
        const statements = (example === 'dev' ? dev : complete)?.get(address)
        assert.ok(statements, `there is no ${address}`)
        const granted = statements.filter(({ sid }) => !OF_LAMBDA.includes(sid)).flatMap(({ actions }) => actions)
        assert.deepEqual([...new Set(granted)].toSorted(), calledBy(start).actions)
      })
  })
})
