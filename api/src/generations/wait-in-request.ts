import type { FastifyReply } from 'fastify'
import { underSignal } from '../http/under-signal.ts'
import type { Services } from '../services.ts'
import { find, type Found } from './find.ts'
import { waitUntilTerminal } from './wait.ts'

interface RequestWait {
  id: string
  owner: string
  timeoutMs: number
  isEnough?: (found: Found) => boolean
}

type WaitContext = Pick<Services, 'reader' | 'events' | 'metrics' | 'closing'>

/** Holds a request until its generation is terminal, the time is up, its client is gone or the server closes. */
export const waitInRequest = (context: WaitContext, reply: FastifyReply, { id, owner, ...wait }: RequestWait): Promise<Found> => {
  const { reader, events, metrics, closing } = context
  const read = () => find(reader, owner, id)
  const release = metrics.countOpen('wait')
  return underSignal(reply, closing.signal, (signal) => waitUntilTerminal({ id, read, events, signal, ...wait })).finally(release)
}
