import type { Generation } from '@nextscale/openapi'
import { createHash } from 'node:crypto'
import { until } from '../../support/until.ts'
import type { Recorded } from '../recording-receiver.ts'
import { type Accepted, awaitEnd, caseOf, CASES, insist, readGeneration } from './load.ts'
import type { JudgedStage, LoadedStage } from './stage.ts'

const ANNOUNCED_MS = 180_000

/** Digests of what a case gives: of each picture, and of its tokens where they are asked for. */
export type Reference = readonly (readonly string[])[]

const fetchDigest = async (url: string): Promise<string> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  return createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex')
}

const digestsOf = ({ outputs }: Generation): Promise<string[]> =>
  Promise.all(
    outputs.flatMap((output) => [output.url, ...(output.tokens_url === null ? [] : [output.tokens_url])]).map(fetchDigest)
  )

/** Makes every case once, with nothing broken. */
export const makeReference = async (stage: LoadedStage): Promise<{ ids: string[]; reference: Reference }> => {
  const made = CASES.map(async (_, place) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await insist(stage, '/v1/generate', { method: 'POST', headers, body: JSON.stringify(caseOf(stage, place)) })
    if (answer.status !== 202) throw new Error(`${answer.status} with nothing broken: ${await answer.text()}`)
    const { id } = (await answer.json()) as Generation
    const generation = await awaitEnd(stage, id)
    if (generation?.status !== 'succeeded') throw new Error(`${id} is ${generation?.status} with nothing broken`)
    return { id, digests: await digestsOf(generation) }
  })
  const all = await Promise.all(made)
  return { ids: all.map(({ id }) => id), reference: all.map(({ digests }) => digests) }
}

const listAll = async (stage: LoadedStage): Promise<string[]> => {
  const ids: string[] = []
  let cursor: string | null = null
  // No more pages than a loop of an hour can fill.
  for (let page = 0; page < 10_000; page += 1) {
    const answer = await insist(stage, `/v1/generations?limit=100${cursor === null ? '' : `&cursor=${cursor}`}`)
    const body = (await answer.json()) as { data: Generation[]; next_cursor: string | null }
    ids.push(...body.data.map(({ id }) => id))
    cursor = body.next_cursor
    if (cursor === null) return ids
  }
  throw new Error('the pages of generations have no end')
}

export interface Verdict {
  succeeded: number
  canceled: number
  /** Ids of what should not be, by what is wrong with it. */
  wrongs: Record<'lost' | 'failed' | 'duplicated' | 'wrong' | 'unannounced', string[]>
  /** Most attempts of a generation. */
  attempts: number
  /** Requests to the receiver beyond the first of a delivery. */
  repeats: number
}

const endOf = (one: Accepted, generation: Generation | undefined): 'lost' | 'failed' | 'succeeded' | 'canceled' => {
  if (generation === undefined || ['queued', 'running'].includes(generation.status)) return 'lost'
  if (generation.status === 'succeeded') return 'succeeded'
  return generation.status === 'canceled' && one.isCanceled ? 'canceled' : 'failed'
}

const deliveriesOf = (recorded: readonly Recorded[]): Map<string, Set<string>> => {
  const found = new Map<string, Set<string>>()
  for (const { id, generationId } of recorded) found.set(generationId, (found.get(generationId) ?? new Set()).add(id))
  return found
}

/** Looks at every generation once nothing is broken any more. */
export const judge = async (
  stage: JudgedStage,
  accepted: readonly Accepted[],
  { ids: others, reference }: { ids: readonly string[]; reference: Reference }
): Promise<Verdict> => {
  const wrongs: Verdict['wrongs'] = { lost: [], failed: [], duplicated: [], wrong: [], unannounced: [] }
  const verdict: Verdict = { succeeded: 0, canceled: 0, wrongs, attempts: 0, repeats: 0 }
  for (const one of accepted) {
    const generation = await readGeneration(stage, one.id)
    const end = endOf(one, generation)
    if (end === 'lost' || end === 'failed') wrongs[end].push(one.id)
    else verdict[end] += 1
    verdict.attempts = Math.max(verdict.attempts, generation?.attempt ?? 0)
    if (generation === undefined || end !== 'succeeded') continue
    const digests = await digestsOf(generation)
    if (digests.join() !== reference[one.place]?.join()) wrongs.wrong.push(one.id)
  }
  const known = new Set([...others, ...accepted.map(({ id }) => id)])
  wrongs.duplicated.push(...(await listAll(stage)).filter((id) => !known.has(id)))
  const { recorded } = stage.receiver
  const missing = () => {
    const deliveries = deliveriesOf(recorded)
    return accepted.filter(({ id }) => !deliveries.has(id)).map(({ id }) => id)
  }
  await until('every end is announced', async () => missing().length === 0, ANNOUNCED_MS).catch(() => undefined)
  wrongs.unannounced.push(...missing())
  const deliveries = deliveriesOf(recorded)
  wrongs.duplicated.push(...[...deliveries].filter(([, ids]) => ids.size > 1).map(([id]) => id))
  verdict.repeats = recorded.length - new Set(recorded.map(({ id }) => id)).size
  return verdict
}
