import { type FileHandle, open, rm } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { pickle, wholeTensorPickle } from './pickle-instructions.ts'
import { elementCount, tensorBytes, type TensorSpec } from './tensor-info.ts'
import { directoryEnd, directoryEntry, type EntryRecord, LOCAL_CRC_OFFSET, localHeader } from './zip-records.ts'

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface WrittenTensor extends TensorSpec {
  /** Row-major and little-endian, in pieces of any length. A piece is on disk before the next is asked for. */
  values: Chunks
}

export interface WritePthOptions {
  /** Writes 64-bit records even where 32 bits would do. */
  zip64?: boolean
  signal?: AbortSignal | undefined
}

/** torch aligns storages so that they can be memory-mapped. */
const ALIGNMENT = 64
const FOLDER = 'archive'

const writeFully = async (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten
  }
}

/** A zip archive of stored entries that grows entry by entry. */
class Archive {
  readonly #handle: FileHandle
  readonly #force: boolean
  readonly #signal: AbortSignal | undefined
  readonly #entries: EntryRecord[] = []
  #offset = 0

  constructor(handle: FileHandle, { zip64 = false, signal }: WritePthOptions) {
    this.#handle = handle
    this.#force = zip64
    this.#signal = signal
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await writeFully(this.#handle, bytes, this.#offset)
    this.#offset += bytes.length
  }

  async add(name: string, sizeBytes: number, chunks: Chunks): Promise<void> {
    const entry: EntryRecord = { name, crc32: 0, sizeBytes, headerOffset: this.#offset }
    await this.#append(localHeader(entry, { force: this.#force, alignment: ALIGNMENT }))
    const start = this.#offset
    for await (const chunk of chunks) {
      this.#signal?.throwIfAborted()
      entry.crc32 = crc32(chunk, entry.crc32)
      await this.#append(chunk)
    }
    if (this.#offset - start !== sizeBytes) throw new RangeError(`${name} has ${this.#offset - start} bytes, not ${sizeBytes}`)
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(entry.crc32)
    await writeFully(this.#handle, sum, entry.headerOffset + LOCAL_CRC_OFFSET)
    this.#entries.push(entry)
  }

  addBytes(name: string, bytes: Uint8Array): Promise<void> {
    return this.add(name, bytes.length, [bytes])
  }

  async end(): Promise<void> {
    const offset = this.#offset
    await this.#append(Buffer.concat(this.#entries.map((entry) => directoryEntry(entry, this.#force))))
    const place = { entries: this.#entries.length, offset, sizeBytes: this.#offset - offset }
    await this.#append(directoryEnd(place, this.#force))
  }
}

const stateDictPickle = (tensors: readonly TensorSpec[]): Buffer => {
  const items = tensors.map(({ name, dtype, shape }, key) => [
    pickle.text(name),
    wholeTensorPickle(String(key), dtype, shape, elementCount(shape))
  ])
  return pickle.program(pickle.orderedDict(...items.flat()))
}

const writeArchive = async (archive: Archive, tensors: readonly WrittenTensor[]): Promise<void> => {
  await archive.addBytes(`${FOLDER}/data.pkl`, stateDictPickle(tensors))
  await archive.addBytes(`${FOLDER}/byteorder`, Buffer.from('little'))
  for (const [key, tensor] of tensors.entries()) {
    await archive.add(`${FOLDER}/data/${key}`, tensorBytes(tensor), tensor.values)
  }
  await archive.addBytes(`${FOLDER}/version`, Buffer.from('3\n'))
  await archive.end()
}

/**
 * Writes a flat state dict as `torch.save` does: a zip archive of a pickle and one aligned storage per tensor. Values are
 * taken piece by piece, so memory never holds the model. The file must not exist yet; after an error it does not.
 * @throws RangeError for a tensor whose values do not fill its shape.
 */
export const writePth = async (path: string, tensors: Iterable<WrittenTensor>, options: WritePthOptions = {}): Promise<void> => {
  const handle = await open(path, 'wx')
  try {
    await writeArchive(new Archive(handle, options), [...tensors])
    await handle.close()
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
}
