import type { Generation } from '@nextscale/openapi'
import { setTimeout } from 'node:timers/promises'
import { pick } from '../../support/random.ts'
import type { LoadedStage } from './stage.ts'

const LANES = 6
/** Generations that a lane has under way at once. */
const BUNCH = 4
const CANCELED_SHARE = 0.1
const ANSWER_MS = 5_000
const AGAIN_MS = 200
/** A generation's own deadline is 600 s; who waits longer for anything waits for what is lost. */
const PATIENCE_MS = 700_000
const TERMINAL = new Set(['succeeded', 'failed', 'canceled', 'expired'])

/** A request that is made over and over, and always gives the same pictures. */
export const CASES = Array.from({ length: 24 }, (_, seed) => ({
  seed,
  class_label: (seed * 7) % 60,
  num_images: 1 + (seed % 4),
  smooth: seed % 5 === 0,
  return_tokens: seed % 2 === 0,
  ...(seed % 3 === 0 && { previews: 'auto' }),
  output: { format: pick(() => (seed % 3) / 3, ['png', 'webp', 'jpeg']), metadata: false }
}))

/** A case as it is asked for. */
export const caseOf = ({ models = [] }: Pick<LoadedStage, 'models'>, place: number): object => {
  const model = models[place % models.length]
  return { ...CASES[place], ...(model !== undefined && { model }) }
}

export interface Accepted {
  id: string
  /** Place in `CASES`. */
  place: number
  isCanceled: boolean
}

export interface Load {
  accepted: Accepted[]
  /** Requests that got no answer, or one of 5xx, and were sent again. */
  repeated: number
}

/** Requests so far: each goes to another process first. */
let asked = 0

/** Asks any API process until one gives an answer that is no fault of the server. */
export const insist = async (
  { apis }: Pick<LoadedStage, 'apis'>,
  path: string,
  init: RequestInit = {},
  onFault: () => void = () => undefined
): Promise<Response> => {
  const deadline = performance.now() + PATIENCE_MS
  asked += 1
  for (let turn = asked; performance.now() < deadline; turn += 1) {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const answer = await fetch(`${apis[turn % apis.length]}${path}`, { ...init, signal }).catch(() => undefined)
    if (answer && answer.status < 500 && answer.status !== 429) return answer
    await answer?.body?.cancel()
    onFault()
    await setTimeout(AGAIN_MS)
  }
  throw new Error(`no answer from ${path} within ${PATIENCE_MS / 1_000} s`)
}

export const readGeneration = async (stage: Pick<LoadedStage, 'apis'>, id: string): Promise<Generation | undefined> => {
  const answer = await insist(stage, `/v1/generations/${id}`)
  return answer.status === 200 ? ((await answer.json()) as Generation) : undefined
}

/** Waits for a generation's end. What is lost has none. */
export const awaitEnd = async (stage: Pick<LoadedStage, 'apis'>, id: string): Promise<Generation | undefined> => {
  const deadline = performance.now() + PATIENCE_MS
  let found = await readGeneration(stage, id)
  while (found && !TERMINAL.has(found.status) && performance.now() < deadline) {
    await setTimeout(AGAIN_MS)
    found = await readGeneration(stage, id)
  }
  return found
}

/** Keeps generations under way until told to stop; resolves when all have ended or are known to be lost. */
export const startLoad = (stage: LoadedStage, random: () => number): { load: Load; stop(): Promise<void> } => {
  const load: Load = { accepted: [], repeated: 0 }
  let isStopped = false
  const repeat = () => void load.repeated++
  const post = async (key: string): Promise<string> => {
    const place = Math.floor(random() * CASES.length)
    const isCanceled = random() < CANCELED_SHARE
    const body = JSON.stringify({ ...caseOf(stage, place), webhook: { url: stage.receiverUrl } })
    const headers = { 'content-type': 'application/json', 'idempotency-key': key }
    const answer = await insist(stage, '/v1/generate', { method: 'POST', headers, body }, repeat)
    // What an answer was lost of may have ended by the time it is asked for again.
    if (![200, 202].includes(answer.status)) throw new Error(`${answer.status}: ${await answer.text()}`)
    const { id } = (await answer.json()) as Generation
    load.accepted.push({ id, place, isCanceled })
    if (isCanceled) await insist(stage, `/v1/generations/${id}/cancel`, { method: 'POST' }, repeat)
    return id
  }
  const lane = async (number: number) => {
    for (let turn = 0; !isStopped; turn += 1) {
      const ids = await Promise.all(Array.from({ length: BUNCH }, (_, place) => post(`${number}-${turn}-${place}`)))
      await Promise.all(ids.map((id) => awaitEnd(stage, id)))
    }
  }
  const lanes = Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)))
  // Kept until `stop` asks for it.
  lanes.catch(() => undefined)
  return {
    load,
    stop: async () => {
      isStopped = true
      await lanes
    }
  }
}
