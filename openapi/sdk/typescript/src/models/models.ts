import type { Model, ModelClass, ModelClassList, ModelList } from '../generated/contract.ts'
import type { CallOptions } from '../generations/create.ts'
import { readJson } from '../transport/read-json.ts'
import type { Transport } from '../transport/transport.ts'

const PAGE_SIZE = 1000

const modelPath = (id: string): string => `/models/${encodeURIComponent(id)}`

/** What can be asked for. */
export class Models {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Every model that is served, the default first. */
  async list({ signal }: CallOptions = {}): Promise<Model[]> {
    return (await this.#transport.request({ path: '/models', signal }, readJson<ModelList>)).data
  }

  /** Sizes, scales and defaults of a model. */
  get(id: string, { signal }: CallOptions = {}): Promise<Model> {
    return this.#transport.request({ path: modelPath(id), signal }, readJson<Model>)
  }

  /** Classes of a model by label; those whose name contains `query`, where it is given. */
  async classes(id: string, query?: string, { signal }: CallOptions = {}): Promise<ModelClass[]> {
    const found: ModelClass[] = []
    for (;;) {
      const call = { path: `${modelPath(id)}/classes`, query: { q: query, limit: PAGE_SIZE, offset: found.length }, signal }
      const { data, total } = await this.#transport.request(call, readJson<ModelClassList>)
      found.push(...data)
      if (data.length === 0 || found.length >= total) return found
    }
  }
}
