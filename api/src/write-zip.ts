import { writeFile } from 'node:fs/promises'
import { crc32, deflateRawSync } from 'node:zlib'

/** The first day that a zip can name. One and the same time makes one and the same archive of the same file, wherever it is made. */
const FIRST_DAY = 0x0021
const DEFLATED = 8
const VERSION = 20
/** A regular file that all may read, as UNIX writes it. */
const MODE = 0o100644 * 2 ** 16
const MADE_ON_UNIX = 3 * 2 ** 8

/** What stands before the data and again in the directory: version, flags, method, time, date, sum and sizes, and the name's length. */
const describe = (name: Buffer, data: Buffer, packed: Buffer): Buffer => {
  const header = Buffer.alloc(26)
  header.writeUInt16LE(VERSION, 0)
  header.writeUInt16LE(DEFLATED, 4)
  header.writeUInt16LE(FIRST_DAY, 8)
  header.writeUInt32LE(crc32(data), 10)
  header.writeUInt32LE(packed.length, 14)
  header.writeUInt32LE(data.length, 18)
  header.writeUInt16LE(name.length, 22)
  return header
}

const signature = (kind: number): Buffer => Buffer.from([0x50, 0x4b, kind, kind + 1])

/** The directory of one file, whose entry is the archive's first. */
const directoryOf = (name: Buffer, described: Buffer): Buffer => {
  const made = Buffer.alloc(2)
  made.writeUInt16LE(MADE_ON_UNIX + VERSION)
  const place = Buffer.alloc(14)
  place.writeUInt32LE(MODE, 6)
  return Buffer.concat([signature(1), made, described, place, name])
}

const endOf = (directoryBytes: number, from: number): Buffer => {
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(directoryBytes, 8)
  end.writeUInt32LE(from, 12)
  return Buffer.concat([signature(5), end])
}

/** Writes an archive with one file, the same bytes each time. */
export const writeZip = async (path: string, file: { name: string; data: Buffer }): Promise<void> => {
  const name = Buffer.from(file.name)
  const packed = deflateRawSync(file.data, { level: 9 })
  const described = describe(name, file.data, packed)
  const entry = Buffer.concat([signature(3), described, name, packed])
  const directory = directoryOf(name, described)
  await writeFile(path, Buffer.concat([entry, directory, endOf(directory.length, entry.length)]))
}
