/** Records of a zip archive of stored entries, with the 64-bit ones wherever a size or an offset needs them. */
export interface EntryRecord {
  name: string
  /** 0: stored. */
  method?: number
  crc32: number
  sizeBytes: number
  /** Where its local header begins. */
  headerOffset: number
}

/** Where in a local header its checksum stands, for a writer that knows it only after the content. */
export const LOCAL_CRC_OFFSET = 14

const LOCAL_BYTES = 30
const IN_ZIP64 = 0xffffffff
const COUNT_IN_ZIP64 = 0xffff
const ZIP64_EXTRA = 1
/** What torch names the field that pads a header. */
const PADDING_EXTRA = 0x4246
const EXTRA_HEAD_BYTES = 4
const VERSION = 20
const VERSION_ZIP64 = 45
const JANUARY_1_1980 = 0x21

const record = (signature: number, length: number, fields: readonly [offset: number, value: number, bytes: 2 | 4][]): Buffer => {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32LE(signature)
  for (const [offset, value, width] of fields) bytes.writeUIntLE(value, offset, width)
  return bytes
}

const extraField = (id: number, content: Buffer): Buffer => {
  const head = Buffer.alloc(EXTRA_HEAD_BYTES)
  head.writeUInt16LE(id)
  head.writeUInt16LE(content.length, 2)
  return Buffer.concat([head, content])
}

const wide = (...values: number[]): Buffer => Buffer.from(BigUint64Array.from(values, BigInt).buffer)
const needsZip64 = (value: number, force: boolean) => force || value >= IN_ZIP64

/** An extra field that fills a header, of which `end` bytes are there, up to a multiple of `alignment`. */
const padding = (end: number, alignment: number): Buffer => {
  if (alignment === 1) return Buffer.alloc(0)
  const over = (end + EXTRA_HEAD_BYTES) % alignment
  return extraField(PADDING_EXTRA, Buffer.alloc(over === 0 ? 0 : alignment - over, 'Z'))
}

/** Header before an entry's content, padded so that the content begins at a multiple of `alignment` bytes. */
export const localHeader = (entry: EntryRecord, { force = false, alignment = 1 } = {}): Buffer => {
  const { name, method = 0, crc32, sizeBytes, headerOffset } = entry
  const nameBytes = Buffer.from(name)
  const isWide = needsZip64(sizeBytes, force)
  const sizes = isWide ? extraField(ZIP64_EXTRA, wide(sizeBytes, sizeBytes)) : Buffer.alloc(0)
  const extra = Buffer.concat([sizes, padding(headerOffset + LOCAL_BYTES + nameBytes.length + sizes.length, alignment)])
  const size = isWide ? IN_ZIP64 : sizeBytes
  const head = record(0x04034b50, LOCAL_BYTES, [
    [4, isWide ? VERSION_ZIP64 : VERSION, 2],
    [8, method, 2],
    [12, JANUARY_1_1980, 2],
    [LOCAL_CRC_OFFSET, crc32, 4],
    [18, size, 4],
    [22, size, 4],
    [26, nameBytes.length, 2],
    [28, extra.length, 2]
  ])
  return Buffer.concat([head, nameBytes, extra])
}

/** The entry's line in the directory. */
export const directoryEntry = (entry: EntryRecord, force = false): Buffer => {
  const { name, method = 0, crc32, sizeBytes, headerOffset } = entry
  const nameBytes = Buffer.from(name)
  const [isWide, isFar] = [needsZip64(sizeBytes, force), needsZip64(headerOffset, force)]
  const values = [...(isWide ? [sizeBytes, sizeBytes] : []), ...(isFar ? [headerOffset] : [])]
  const extra = values.length > 0 ? extraField(ZIP64_EXTRA, wide(...values)) : Buffer.alloc(0)
  const size = isWide ? IN_ZIP64 : sizeBytes
  const version = values.length > 0 ? VERSION_ZIP64 : VERSION
  const head = record(0x02014b50, 46, [
    [4, version, 2],
    [6, version, 2],
    [10, method, 2],
    [14, JANUARY_1_1980, 2],
    [16, crc32, 4],
    [20, size, 4],
    [24, size, 4],
    [28, nameBytes.length, 2],
    [30, extra.length, 2],
    [42, isFar ? IN_ZIP64 : headerOffset, 4]
  ])
  return Buffer.concat([head, nameBytes, extra])
}

export interface DirectoryPlace {
  entries: number
  offset: number
  sizeBytes: number
}

const directoryEnd64 = ({ entries, offset, sizeBytes }: DirectoryPlace): Buffer => {
  const end = record(0x06064b50, 24, [
    [4, 44, 4],
    [12, VERSION_ZIP64, 2],
    [14, VERSION_ZIP64, 2]
  ])
  const locator = record(0x07064b50, 8, [])
  const disks = Buffer.alloc(4)
  disks.writeUInt32LE(1)
  return Buffer.concat([end, wide(entries, entries, sizeBytes, offset), locator, wide(offset + sizeBytes), disks])
}

/** What ends an archive whose directory lies there. */
export const directoryEnd = (place: DirectoryPlace, force = false): Buffer => {
  const { entries, offset, sizeBytes } = place
  const isFull = force || entries >= COUNT_IN_ZIP64 || offset >= IN_ZIP64 || sizeBytes >= IN_ZIP64
  const count = isFull ? COUNT_IN_ZIP64 : entries
  const end = record(0x06054b50, 22, [
    [8, count, 2],
    [10, count, 2],
    [12, isFull ? IN_ZIP64 : sizeBytes, 4],
    [16, isFull ? IN_ZIP64 : offset, 4]
  ])
  return isFull ? Buffer.concat([directoryEnd64(place), end]) : end
}
