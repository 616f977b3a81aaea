import type { Generation, GenerationEventData, GenerationEventName } from '@nextscale/openapi'
import { type Position, previewBit, TERMINAL } from './event-position.ts'

/** An event, and where the reader is who has been told of it. */
export type PositionedEvent = {
  [N in GenerationEventName]: { name: N; data: GenerationEventData[N]; position: Position }
}[GenerationEventName]

/** Whether a reader at a position has yet to hear of something in the state that `target` is of. */
export const isBehind = (position: Position, target: Position): boolean =>
  target.phase > position.phase ||
  target.progress > position.progress ||
  (target.previews & ~position.previews) !== 0n ||
  target.outputs > position.outputs ||
  (target.phase === TERMINAL && !position.ended)

/** What a reader has yet to hear, in order. `target` is the position of the state that `generation` shows. */
export const eventsAfter = (start: Position, target: Position, generation: Generation): PositionedEvent[] => {
  const { status, stage, attempt, progress, previews, outputs, input } = generation
  const events: PositionedEvent[] = []
  let position = start
  const isOver = target.phase === TERMINAL
  const tellStatus = () => {
    if (target.phase <= position.phase) return
    position = { ...position, phase: target.phase }
    events.push({ name: 'status', data: { status, stage, attempt }, position })
  }
  // A new run is told of before what it does, an end after all that was done.
  if (!isOver) tellStatus()
  if (progress !== null && target.progress > position.progress) {
    position = { ...position, progress: target.progress }
    events.push({ name: 'progress', data: progress, position })
  }
  for (const preview of previews) {
    const bit = previewBit(input.previews, input.num_images, preview)
    if ((bit & ~position.previews) === 0n) continue
    position = { ...position, previews: position.previews | bit }
    events.push({ name: 'preview', data: preview, position })
  }
  if (!isOver) return events
  tellStatus()
  for (const [index, output] of outputs.entries()) {
    if (index < position.outputs) continue
    position = { ...position, outputs: index + 1 }
    events.push({ name: 'output', data: output, position })
  }
  if (!position.ended) events.push({ name: 'end', data: generation, position: { ...position, ended: true } })
  return events
}
