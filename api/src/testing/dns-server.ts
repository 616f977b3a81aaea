import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { type Answer, decode, encode, type Question, RECURSION_AVAILABLE } from 'dns-packet'

/** What the server says of a name: records, or no such name, a failure, nothing at all. */
export type DnsEntry = { A?: string[]; AAAA?: string[]; CNAME?: string } | 'none' | 'fails' | 'silent'

export interface DnsServer {
  /** As EGRESS_DNS_SERVERS takes it. */
  readonly address: string
  /** What was asked, first to last: `A example.com`. */
  readonly asked: string[]
  set(name: string, entry: DnsEntry): void
  close(): Promise<void>
}

const RESPONSE_CODES = { none: 3, fails: 2 } as const

const recordsOf = (entries: ReadonlyMap<string, DnsEntry>, name: string, type: string): Answer[] => {
  const entry = entries.get(name)
  if (entry === undefined || typeof entry === 'string') return []
  if (entry.CNAME !== undefined) {
    return [{ type: 'CNAME', name, data: entry.CNAME, ttl: 0 }, ...recordsOf(entries, entry.CNAME, type)]
  }
  if (type !== 'A' && type !== 'AAAA') return []
  return (entry[type] ?? []).map((data) => ({ type, name, data, ttl: 0 }))
}

/** A name server over UDP on loopback. Names it was told nothing of do not exist. */
export const startDnsServer = async (): Promise<DnsServer> => {
  const entries = new Map<string, DnsEntry>()
  const asked: string[] = []
  const socket = createSocket('udp4')

  const answer = (id: number | undefined, question: Question, { port, address }: RemoteInfo) => {
    const name = question.name.toLowerCase()
    asked.push(`${question.type} ${name}`)
    const entry = entries.get(name) ?? 'none'
    if (entry === 'silent') return
    const flags = RECURSION_AVAILABLE | (typeof entry === 'string' ? RESPONSE_CODES[entry] : 0)
    const answers = recordsOf(entries, name, question.type)
    socket.send(encode({ type: 'response', id: id ?? 0, flags, questions: [question], answers }), port, address)
  }

  socket.on('message', (message, from) => {
    const { id, questions = [] } = decode(message)
    const [question] = questions
    if (question) answer(id, question, from)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    set: (name, entry) => void entries.set(name, entry),
    close: async () => {
      socket.close()
      await once(socket, 'close')
    }
  }
}
