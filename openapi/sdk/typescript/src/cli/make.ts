import type { Generation, GenerationEvent } from '../generated/contract.ts'
import type { Context } from './command.ts'
import { progressLine, stateLine } from './progress-line.ts'
import { saveOutputs } from './save-outputs.ts'

/** How long an interrupted command waits for the id of what it asked for, and for the cancellation of that. */
const LAST_WORDS_MS = 5000

export interface MakeOptions {
  /** Where to save pictures; `undefined` prints their links. */
  path: string | undefined
  watch: boolean
  json: boolean
  /** Asks for the generation. */
  ask: (signal: AbortSignal) => Promise<Generation>
}

/** Fires some time after another signal. */
const afterwards = (signal: AbortSignal, ms: number): AbortSignal => {
  const controller = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => controller.abort(signal.reason), ms).unref(), { once: true })
  return controller.signal
}

/** Shows events one after the other: a preview takes a download. */
const showEvents = ({ client, terminal, signal }: Context) => {
  let shown = Promise.resolve()
  let line = ''
  const show = async ({ event, data }: GenerationEvent): Promise<void> => {
    if (event === 'preview' && terminal.canShowImages) await terminal.showImage(await client.download(data, { signal }))
    if (event === 'snapshot') line = stateLine(data)
    if (event === 'progress') line = progressLine(data)
    terminal.status(line)
  }
  return {
    // A preview that cannot be shown is no reason to lose the picture.
    onEvent: (event: GenerationEvent) => void (shown = shown.then(() => show(event)).catch(() => undefined)),
    done: () => shown
  }
}

/** Waits under the user's signal; whoever interrupts does not want the pictures, so nothing goes on drawing them. */
const finish = async (context: Context, accepted: Generation, watch: boolean): Promise<Generation> => {
  const { client, terminal, note, signal } = context
  const shower = watch ? showEvents(context) : undefined
  try {
    signal.throwIfAborted()
    const generation = await client.wait(accepted.id, { signal, onEvent: shower?.onEvent })
    await shower?.done()
    return generation
  } catch (error) {
    terminal.clear()
    if (signal.aborted) {
      const { status } = await client.cancel(accepted.id, { signal: AbortSignal.timeout(LAST_WORDS_MS) })
      note(`Generation ${accepted.id} is ${status}.`)
    }
    throw error
  } finally {
    terminal.clear()
  }
}

/** Asks for a generation, waits for it and saves its pictures. */
export const make = async (context: Context, { path, watch, json, ask }: MakeOptions): Promise<void> => {
  const { client, say, signal } = context
  const accepted = await ask(afterwards(signal, LAST_WORDS_MS))
  const generation = await finish(context, accepted, watch)
  const saved = path === undefined ? [] : await saveOutputs(client, generation, { path, signal })
  if (json) return say(JSON.stringify(generation, null, 2))
  for (const line of path === undefined ? generation.outputs.map(({ url }) => url) : saved) say(line)
}
