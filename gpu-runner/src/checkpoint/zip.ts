import { ModelError } from '../errors.ts'
import { Allowance } from './allowance.ts'
import { type OpenFile, readExactly, readInOrder } from './open-file.ts'

/** A stored (uncompressed) entry of a zip archive. */
export interface ZipEntry {
  name: string
  /** Byte offset of its content in the archive. */
  offset: number
  sizeBytes: number
}

const END_BYTES = 22
const MAX_COMMENT_BYTES = 65_535
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const END_SIGNATURE = 0x06054b50
const LOCATOR_SIGNATURE = 0x07064b50
const END64_SIGNATURE = 0x06064b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const IN_ZIP64 = 0xffffffff
const ZIP64_EXTRA = 1
/** Each costs a read. */
const MAX_ENTRIES = 16_384

/** An archive and the one sentence with which anything wrong with it is refused. */
class Archive {
  readonly #file: OpenFile
  readonly #readInOrder: ReturnType<typeof readInOrder>
  readonly sizeBytes: number

  constructor(file: OpenFile) {
    this.#file = file
    this.#readInOrder = readInOrder(file)
    this.sizeBytes = file.sizeBytes
  }

  refuse(what: string): never {
    throw new ModelError(`${this.#file.path} is not a whole torch checkpoint: ${what}.`)
  }

  /** Exactly these bytes. */
  async read(offset: number, length: number, what: string): Promise<Buffer> {
    this.#refuseOutside(offset, length, what)
    return readExactly(this.#file, offset, length)
  }

  /** As `read`, for what is asked for from the archive's beginning to its end. */
  async readNext(offset: number, length: number, what: string): Promise<Buffer> {
    this.#refuseOutside(offset, length, what)
    return this.#readInOrder(offset, length)
  }

  #refuseOutside(offset: number, length: number, what: string): void {
    if (offset < 0 || offset + length > this.sizeBytes) this.refuse(`${what} lies outside the file`)
  }
}

const safeNumber = (archive: Archive, value: bigint): number =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : archive.refuse('it claims more bytes than a file can have')

interface Directory {
  offset: number
  sizeBytes: number
  entries: number
}

const findEnd = async (archive: Archive): Promise<{ end: Buffer; offset: number }> => {
  const length = Math.min(archive.sizeBytes, END_BYTES + MAX_COMMENT_BYTES)
  const tail = await archive.read(archive.sizeBytes - length, length, 'its end')
  for (let at = length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END_SIGNATURE) return { end: tail.subarray(at), offset: archive.sizeBytes - length + at }
  }
  return archive.refuse('it has no zip directory')
}

const findDirectory = async (archive: Archive): Promise<Directory> => {
  const { end, offset } = await findEnd(archive)
  const plain = { entries: end.readUInt16LE(10), sizeBytes: end.readUInt32LE(12), offset: end.readUInt32LE(16) }
  if (plain.offset !== IN_ZIP64 && plain.sizeBytes !== IN_ZIP64 && plain.entries !== 0xffff) return plain
  const locator = await archive.read(offset - LOCATOR_BYTES, LOCATOR_BYTES, 'its zip64 locator')
  if (locator.readUInt32LE(0) !== LOCATOR_SIGNATURE) archive.refuse('it has no zip64 locator')
  const end64 = await archive.read(safeNumber(archive, locator.readBigUInt64LE(8)), END64_BYTES, 'its zip64 end')
  if (end64.readUInt32LE(0) !== END64_SIGNATURE) archive.refuse('it has no zip64 end')
  return {
    entries: safeNumber(archive, end64.readBigUInt64LE(32)),
    sizeBytes: safeNumber(archive, end64.readBigUInt64LE(40)),
    offset: safeNumber(archive, end64.readBigUInt64LE(48))
  }
}

/** The 64-bit values of an entry whose 32-bit fields are full, in the order they stand in. */
const zip64Values = (archive: Archive, extra: Buffer): number[] => {
  for (let at = 0; at + 4 <= extra.length;) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)]
    const field = extra.subarray(at + 4, at + 4 + length)
    if (id === ZIP64_EXTRA) {
      return Array.from({ length: Math.floor(field.length / 8) }, (_, i) => safeNumber(archive, field.readBigUInt64LE(8 * i)))
    }
    at += 4 + length
  }
  return []
}

interface RawEntry {
  name: string
  method: number
  sizeBytes: number
  headerOffset: number
  /** Bytes the entry takes in the directory. */
  length: number
}

const parseEntry = (archive: Archive, directory: Buffer, at: number): RawEntry => {
  if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
    archive.refuse('its directory is broken')
  const [nameLength, extraLength] = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30)]
  const nameEnd = at + ENTRY_BYTES + nameLength
  const wide = zip64Values(archive, directory.subarray(nameEnd, nameEnd + extraLength))
  const widened = (value: number) => (value === IN_ZIP64 ? (wide.shift() ?? archive.refuse('a zip64 size is missing')) : value)
  const sizeBytes = widened(directory.readUInt32LE(at + 24))
  const stored = widened(directory.readUInt32LE(at + 20))
  const headerOffset = widened(directory.readUInt32LE(at + 42))
  const name = directory.toString('utf8', at + ENTRY_BYTES, nameEnd)
  if (stored !== sizeBytes) archive.refuse(`${name} is compressed`)
  const length = ENTRY_BYTES + nameLength + extraLength + directory.readUInt16LE(at + 32)
  return { name, method: directory.readUInt16LE(at + 10), sizeBytes, headerOffset, length }
}

const locate = async (archive: Archive, { name, method, sizeBytes, headerOffset }: RawEntry): Promise<ZipEntry> => {
  if (method !== 0) archive.refuse(`${name} is compressed`)
  const header = await archive.readNext(headerOffset, LOCAL_BYTES, `the header of ${name}`)
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) archive.refuse(`${name} has no header`)
  const offset = headerOffset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (offset + sizeBytes > archive.sizeBytes) archive.refuse(`${name} lies outside the file`)
  return { name, offset, sizeBytes }
}

/**
 * Where the entries lie, in the order they lie in. Each has a place and a name of its own, or what one reader sees is not
 * what another sees.
 */
const locateAll = async (archive: Archive, entries: readonly RawEntry[]): Promise<ZipEntry[]> => {
  const located = new Map<string, ZipEntry>()
  let end = 0
  for (const entry of entries.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    if (located.has(entry.name)) archive.refuse(`it has two entries ${entry.name}`)
    if (entry.headerOffset < end) archive.refuse(`${entry.name} overlaps another entry`)
    const place = await locate(archive, entry)
    located.set(entry.name, place)
    end = place.offset + place.sizeBytes
  }
  return [...located.values()]
}

/**
 * Reads the directory of a zip or zip64 archive; content stays on disk.
 * @throws ModelError in one sentence for anything broken, compressed, overlapping or outside the file, before memory is
 * taken for it.
 */
export const readZipDirectory = async (file: OpenFile, allowance = new Allowance()): Promise<ZipEntry[]> => {
  const archive = new Archive(file)
  const { offset, sizeBytes, entries: count } = await findDirectory(archive)
  allowance.take(file.path, 'directory', sizeBytes)
  if (count > MAX_ENTRIES) archive.refuse(`its directory claims ${count} entries`)
  const directory = await archive.read(offset, sizeBytes, 'its directory')
  const entries: RawEntry[] = []
  for (let at = 0; entries.length < count;) {
    const entry = parseEntry(archive, directory, at)
    at += entry.length
    entries.push(entry)
  }
  return locateAll(archive, entries)
}
