import { GenerationFailed } from '../errors.ts'
import type { Generation, GenerationEvent } from '../generated/contract.ts'
import type { CreateOptions } from '../generations/create.ts'
import type { Context } from './command.ts'
import { explain } from './explain.ts'
import { progressLine, stateLine } from './progress-line.ts'
import { checkTarget, saveOutputs } from './save-outputs.ts'

/** How long an interrupted command waits for the id of what it asked for, and for the cancellation of that. */
const LAST_WORDS_MS = 5000

/** Fields that a request has unless it says them itself. */
interface MoreFields {
  previews?: 'auto'
}

export interface MakeOptions {
  /** Where to save pictures; without it their links are printed. */
  output?: string | undefined
  watch?: boolean | undefined
  json?: boolean | undefined
  'idempotency-key'?: string | undefined
  /** How many pictures it is going to be. */
  count: () => Promise<number>
  /** Asks for the generation. */
  ask: (more: MoreFields, options: CreateOptions) => Promise<Generation>
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
    if (signal.aborted) return
    if (event === 'preview' && terminal.canShowImages) await terminal.showImage(await client.download(data, { signal }))
    if (event === 'snapshot') line = stateLine(data)
    if (event === 'progress') line = progressLine(data)
    if (!signal.aborted) terminal.status(line)
  }
  return {
    // A preview that cannot be shown is no reason to lose the picture.
    onEvent: (event: GenerationEvent) => void (shown = shown.then(() => show(event)).catch(() => undefined)),
    done: () => shown
  }
}

/** Waiting that ended before the generation did. */
class LeftAloneError extends Error {
  override name = 'LeftAloneError'
}

const leaveAlone = (id: string, cause: unknown): LeftAloneError =>
  new LeftAloneError(
    `${explain(cause).line} ${id} goes on: nextscale get ${id} -o FILE saves its pictures, nextscale cancel ${id} ends it.`,
    { cause }
  )

/** Waits under the user's signal; whoever interrupts does not want the pictures, so nothing goes on drawing them. */
const finish = async (context: Context, { id }: Generation, watch: boolean): Promise<Generation> => {
  const { client, out, terminal, signal } = context
  const shower = watch ? showEvents(context) : undefined
  try {
    signal.throwIfAborted()
    const generation = await client.wait(id, { signal, onEvent: shower?.onEvent })
    await shower?.done()
    return generation
  } catch (error) {
    terminal.clear()
    if (signal.aborted) {
      const { status } = await client.cancel(id, { signal: AbortSignal.timeout(LAST_WORDS_MS) })
      out.note(`Generation ${id} is ${status}.`)
      throw error
    }
    throw error instanceof GenerationFailed ? error : leaveAlone(id, error)
  } finally {
    terminal.clear()
  }
}

/** Asks for a generation, waits for it and saves its pictures. */
export const make = async (context: Context, options: MakeOptions): Promise<void> => {
  const { out, signal, terminal } = context
  const { output: path, watch = false, json = false } = options
  const target = path === undefined ? undefined : { path, json }
  if (target) await checkTarget(out, target, await options.count())
  const accepted = await options.ask(watch && terminal.canShowImages ? { previews: 'auto' } : {}, {
    signal: afterwards(signal, LAST_WORDS_MS),
    idempotencyKey: options['idempotency-key']
  })
  const generation = await finish(context, accepted, watch)
  if (target) await saveOutputs(context, generation, target)
  if (json) return out.sayJson(generation)
  if (!target) for (const { url } of generation.outputs) out.say(url)
}
