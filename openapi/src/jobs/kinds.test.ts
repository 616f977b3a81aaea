import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { Generation } from '../schemas/generation.ts'
import { JOB_KIND_NAMES, JOB_KINDS, type JobKind, type KindPart } from './kinds.ts'

/** A kind as somebody would add it, under a name that nobody gives one. */
const kinds = {
  ...JOB_KINDS,
  'kind-of-this-test': { does: 'starts from a stored picture', own: Type.Object({ key: Type.String() }) }
} as const satisfies Record<string, JobKind>

type Part = KindPart<typeof kinds>

test('what a payload says of its kind has the type that the kind says', () => {
  const parts: Part[] = [
    { kind: 'kind-of-this-test', own: { key: 'a' } },
    { kind: 'generate', own: {} },
    // @ts-expect-error The key is a text.
    { kind: 'kind-of-this-test', own: { key: 1 } },
    // @ts-expect-error The key is missing.
    { kind: 'kind-of-this-test', own: {} },
    // @ts-expect-error There is no such kind.
    { kind: 'another', own: {} }
  ]
  assert.equal(parts.length, 5)
})

test('a generation says what each kind does', () => {
  const { description } = JSON.parse(JSON.stringify(Generation.properties.kind)) as { description: string }
  for (const name of JOB_KIND_NAMES) assert.ok(description.includes(`\`${name}\` ${JOB_KINDS[name].does}`), name)
})
