import type { ContinueRequest, GenerateRequest, Generation } from '../generated/contract.ts'
import { readJson } from '../transport/read-json.ts'
import type { Transport } from '../transport/transport.ts'

export interface CallOptions {
  /** Ends the call. A generation that was accepted goes on: `cancel` ends it. */
  signal?: AbortSignal | undefined
}

export interface CreateOptions extends CallOptions {
  /** Drawn anew for each call where it is not given. The same key and request give the same generation again. */
  idempotencyKey?: string | undefined
}

/** Not `randomUUID`, which browsers have on https alone. */
const drawKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Posts a request for a generation. Its key goes with every attempt, which is what makes another attempt harmless. */
export const create = (
  transport: Transport,
  path: string,
  body: GenerateRequest | ContinueRequest,
  { signal, idempotencyKey = drawKey() }: CreateOptions = {}
): Promise<Generation> =>
  transport.request({ method: 'POST', path, body, signal, headers: { 'idempotency-key': idempotencyKey } }, readJson<Generation>)
