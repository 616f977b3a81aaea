import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestApp } from '../testing/test-app.ts'

test('lines carry the ids of request and generation, and no secrets', async () => {
  const context = await openTestApp({ LOG_LEVEL: 'debug' })
  try {
    const { id } = await context.generate()
    const canceled = await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
    await context.app.inject({
      url: `/generations/${id}?token=hunter2&signature=hunter2`,
      headers: { authorization: 'Bearer hunter2' }
    })
    await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
    const lines = context.logLines.map((line) => JSON.parse(line) as Record<string, unknown>)
    for (const message of ['accepted', 'cancel', 'deleted']) {
      const line = lines.find(({ msg }) => msg === message)
      assert.equal(line?.['generation'], id, message)
      assert.match(String(line?.['request_id']), /^req_/)
    }
    assert.equal(lines.find(({ msg }) => msg === 'cancel')?.['request_id'], canceled.headers['x-request-id'])
    assert.ok(context.logLines.some((line) => line.includes('token=***')))
    assert.doesNotMatch(context.logLines.join(''), /hunter2/)
  } finally {
    await context.close()
  }
})
