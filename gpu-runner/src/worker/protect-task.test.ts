import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '@nextscale/platform/testing'
import { protectTask } from './protect-task.ts'

type Mood = 'answers' | 'refuses' | 'fails' | 'hangs'

/** An agent of ECS that does as it is told to, and what it was asked for. */
const openAgent = async (t: TestContext, mood: Mood) => {
  const agent = { mood, asked: [] as object[], told: [] as string[] }
  const server = createServer((request, response) => {
    const path = `${request.method} ${request.url}`
    json(request).then(
      (body) => {
        agent.asked.push({ path, ...(body as object) })
        if (agent.mood === 'answers') response.end(JSON.stringify({ protection: { TaskArn: 'arn' } }))
        else if (agent.mood === 'refuses') response.end(JSON.stringify({ failure: { Arn: 'arn', Reason: 'TASK_NOT_VALID' } }))
        else if (agent.mood === 'fails') response.writeHead(500).end()
      },
      () => response.destroy()
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const log = {
    warn: (_: object, text: string) => void agent.told.push(text),
    info: (text: string) => void agent.told.push(text)
  }
  const times = { idleMs: 100, renewMs: 150, againMs: 50, timeoutMs: 100 }
  const protection = protectTask(`http://127.0.0.1:${port}/api/task`, log as Parameters<typeof protectTask>[1], times)
  t.after(() => {
    protection.close()
    server.close()
    server.closeAllConnections()
  })
  return { agent, protection }
}

const path = 'PUT /api/task/task-protection/v1/state'
const ON = { path, ProtectionEnabled: true, ExpiresInMinutes: 30 }
const OFF = { path, ProtectionEnabled: false }

test('a task is protected when work begins, again while it goes on, and given free once it has been idle', async (t) => {
  const { agent, protection } = await openAgent(t, 'answers')
  const ends = [protection.begin(), protection.begin()]
  await until('it is renewed', () => agent.asked.length === 3)
  assert.deepEqual(agent.asked, [ON, ON, ON])
  ends[0]?.()
  await until('it is renewed while one works', () => agent.asked.length === 4)
  ends[1]?.()
  // Work that begins before it has been idle for long keeps the protection.
  await sleep(20)
  const end = protection.begin()
  await sleep(110)
  assert.ok(!agent.asked.some((each) => 'ProtectionEnabled' in each && !each.ProtectionEnabled))
  end()
  await until('it is free', () => agent.asked.some((each) => 'ProtectionEnabled' in each && !each.ProtectionEnabled))
  assert.deepEqual(agent.asked.at(-1), OFF)
  const count = agent.asked.length
  await sleep(300)
  assert.equal(agent.asked.length, count)
  protection.begin()
  await until('it is protected again', () => agent.asked.length === count + 1)
  assert.deepEqual(agent.asked.at(-1), ON)
  assert.deepEqual(agent.told, [])
})

test('many short generations one after another do not put off its renewal', async (t) => {
  const { agent, protection } = await openAgent(t, 'answers')
  await until('it is renewed twice', async () => {
    const end = protection.begin()
    await sleep(5)
    end()
    return agent.asked.length >= 3
  })
  assert.deepEqual(agent.asked.slice(0, 3), [ON, ON, ON])
})

for (const mood of ['refuses', 'fails', 'hangs'] as const)
  test(`an agent that ${mood} holds nothing up, is told of once and is asked again`, async (t) => {
    const { agent, protection } = await openAgent(t, mood)
    const began = performance.now()
    for (let i = 0; i < 10; i++) protection.begin()()
    const end = protection.begin()
    assert.ok(performance.now() - began < 50)
    await until('it is asked again', () => agent.asked.length >= 3)
    assert.equal(agent.told.length, 1)
    assert.match(agent.told[0] ?? '', /^ECS does not protect this task/)
    agent.mood = 'answers'
    await until('it is well again', () => agent.told.length === 2)
    end()
    await until('it is free', () => JSON.stringify(agent.asked.at(-1)) === JSON.stringify({ path, ProtectionEnabled: false }))
  })
