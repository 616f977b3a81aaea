import { ProblemError } from '../http/problem.ts'
import type { GenerationReader } from './reader.ts'
import { isOver, settle, type Standing } from './settle.ts'
import type { LiveSnapshot, Snapshot } from './snapshot.ts'

export interface Found {
  snapshot: LiveSnapshot
  standing: Standing
}

export const notFound = (id: string): ProblemError =>
  new ProblemError('generation_not_found', `There is no generation ${id}. GET /v1/generations lists those there are.`)

const gone = (id: string): ProblemError =>
  new ProblemError(
    'generation_gone',
    `${id} was deleted, or was kept as long as finished generations are. Post the request again.`
  )

export const unreadable = (id: string): ProblemError =>
  new ProblemError('internal_error', `${id} was written by another release and cannot be read by this one. Update the API.`)

/** The generation in a snapshot. Throws a problem when there is none to show. */
export const requireFound = (id: string, snapshot: Snapshot, now = Date.now()): Found => {
  if (snapshot.kind === 'unknown') throw notFound(id)
  if (snapshot.kind === 'gone') throw gone(id)
  if (snapshot.kind === 'unreadable') throw unreadable(id)
  const standing = settle(snapshot)
  if (isOver(snapshot, standing, now)) throw gone(id)
  return { snapshot, standing }
}

export const find = async (reader: GenerationReader, owner: string, id: string): Promise<Found> =>
  requireFound(id, await reader.read(owner, id))
