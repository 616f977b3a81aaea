import type { GenerationEvent } from '../generated/contract.ts'

const nameOf = (event: GenerationEvent): string | undefined => {
  if (event.event === 'preview') return `preview ${event.data.index} ${event.data.scale}`
  return event.event === 'output' ? `output ${event.data.index}` : undefined
}

/** What a snapshot holds of pictures, as the events that told of it before the stream began. They have the id of the snapshot. */
const picturesOf = (event: GenerationEvent): GenerationEvent[] => {
  if (event.event !== 'snapshot') return []
  const { id, data } = event
  const previews = data.previews.toSorted((one, other) => one.scale - other.scale || one.index - other.index)
  return [
    ...previews.map((preview): GenerationEvent => ({ id, event: 'preview', data: preview })),
    ...data.outputs.map((output): GenerationEvent => ({ id, event: 'output', data: output }))
  ]
}

/**
 * Events with what their snapshots hold told as previews and outputs, so that whoever looks for these misses none that was made
 * before the stream began. Each picture comes once, also where a later connection begins with a snapshot again.
 */
export const createTeller = (): ((event: GenerationEvent) => GenerationEvent[]) => {
  const told = new Set<string>()
  return (event) =>
    [event, ...picturesOf(event)].filter((each) => {
      const name = nameOf(each)
      if (name === undefined) return true
      const isNew = !told.has(name)
      told.add(name)
      return isNew
    })
}
