import { crc32 } from 'node:zlib'
import { pickle } from '../checkpoint/pickle-instructions.ts'
import { directoryEnd, directoryEntry, type EntryRecord, localHeader } from '../checkpoint/zip-records.ts'

interface ZipOptions {
  /** Other than 0 only claims to be compressed. */
  method?: number
  zip64?: boolean
  /** Changes what the directory says of the entries. */
  claim?: (entries: EntryRecord[]) => EntryRecord[]
  /** How many entries the archive's end claims. */
  count?: number
}

/** A zip archive of stored entries, and whatever an honest writer would never write. */
export const zip = (contents: Record<string, Buffer>, { method = 0, zip64 = false, claim, count }: ZipOptions = {}): Buffer => {
  const content: Buffer[] = []
  const entries: EntryRecord[] = []
  let offset = 0
  for (const [name, data] of Object.entries(contents)) {
    const entry = { name, method, crc32: crc32(data), sizeBytes: data.length, headerOffset: offset }
    const header = localHeader(entry, { force: zip64 })
    content.push(header, data)
    entries.push(entry)
    offset += header.length + data.length
  }
  const directory = Buffer.concat((claim?.(entries) ?? entries).map((entry) => directoryEntry(entry, zip64)))
  const end = directoryEnd({ entries: count ?? entries.length, offset, sizeBytes: directory.length }, zip64)
  return Buffer.concat([...content, directory, end])
}

/** A torch checkpoint of any pickle and its storages by key: tests must be able to write what torch never would. */
export const pth = (root: Buffer, storages: Record<string, Buffer>, options?: ZipOptions): Buffer =>
  zip(
    {
      'archive/data.pkl': pickle.program(root),
      ...Object.fromEntries(Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data]))
    },
    options
  )
