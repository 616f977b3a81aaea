import { once } from 'node:events'
import { createConnection, Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis'
import type { HostAndPort } from '../config/index.ts'

type Place = HostAndPort
/** ioredis hands the options of the client, of which these are used. */
type ClientOptions = Pick<RedisOptions, 'username' | 'password' | 'tls' | 'connectTimeout' | 'disconnectTimeout'>

const DEFAULT_TIMEOUT_MS = 2000

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** Asks one node who owns the slot of a key, and who the others are. */
const askNode = async (node: Place, options: ClientOptions, key: string) => {
  const { username, password, tls, connectTimeout = DEFAULT_TIMEOUT_MS } = options
  const asked = new Redis({
    ...node,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
    connectTimeout,
    commandTimeout: connectTimeout,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  let reason: Error | undefined
  asked.on('error', (error: Error) => (reason ??= error))
  try {
    await asked.connect()
    const slot = await asked.cluster('KEYSLOT', key)
    const ranges = await asked.cluster('SLOTS')
    // A node that does not know its own name answers with none.
    const at = ([host, port]: readonly [string | null, number, ...unknown[]]): Place => ({ host: host || node.host, port })
    const [, , owner] = ranges.find(([first, last]) => first <= slot && slot <= last) ?? []
    return { owner: owner && at(owner), nodes: ranges.flatMap(([, , ...nodes]) => nodes.map(at)) }
  } catch (error) {
    throw reason ?? error
  } finally {
    asked.disconnect()
  }
}

/**
 * Makes connections of an ordinary client to the node of a cluster that owns the slot of `key`, found anew for each connection. Everything
 * kept in Redis is in that slot, since its keys have one hash tag, so that no command needs another node. A node that answers MOVED is not
 * the owner any more: the client connects anew (`reconnectOnError`).
 */
export const clusterConnector = (seeds: readonly Place[], key: string) =>
  class extends AbstractConnector {
    readonly #options: ClientOptions
    #known: readonly Place[] = seeds

    constructor(options: unknown) {
      const own = options as ClientOptions
      super(own.disconnectTimeout ?? DEFAULT_TIMEOUT_MS)
      this.#options = own
    }

    async #find(): Promise<Place> {
      let reason: Error | undefined
      for (const node of new Map([...this.#known, ...seeds].map((each) => [`${each.host}:${each.port}`, each])).values()) {
        const found = await askNode(node, this.#options, key).catch((error: unknown) => {
          reason ??= asError(error)
          return undefined
        })
        if (found === undefined) continue
        this.#known = found.nodes
        if (found.owner) return found.owner
        reason ??= new Error('the cluster has no node for the slot of the service’s keys')
      }
      throw reason ?? new Error('no node of the cluster is known')
    }

    #open({ host, port }: Place): Socket {
      const { tls } = this.#options
      return tls ? connectTls({ host, port, ...(tls as ConnectionOptions) }) : createConnection({ host, port })
    }

    override async connect(): Promise<Socket> {
      this.connecting = true
      try {
        const owner = await this.#find()
        if (!this.connecting) throw new Error('Connection is closed.')
        const stream = this.#open(owner)
        stream.once('error', (error: Error) => (this.firstError = error))
        return (this.stream = stream)
      } catch (error) {
        // A stream that has ended has the client try again by its own strategy; a rejection would end it for good.
        this.firstError = asError(error)
        const ended = new Socket()
        ended.destroy()
        await once(ended, 'close')
        return ended
      }
    }
  }
