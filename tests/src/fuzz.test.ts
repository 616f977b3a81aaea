import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deploy } from './support/deployment.ts'
import { fuzz, withoutPython } from './support/schemathesis.ts'

it('whatever is sent, every answer is one the contract states', { skip: withoutPython }, async () => {
  const service = await deploy()
  try {
    const { held, report } = await fuzz(service.baseUrl)
    assert.ok(held, report)
    assert.match(report, /Stateful/)
    console.log(report.slice(report.lastIndexOf('Test cases:')))
    assert.equal((await service.client.finish((await service.client.generate()).id)).status, 'succeeded')
  } finally {
    await service.close()
  }
})
