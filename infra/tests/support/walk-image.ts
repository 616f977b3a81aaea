import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { podman } from './podman.ts'

const ELF = 0x7f454c46
const MACHINE_OFFSET = 18
const HEADER_BYTES = 20
const MACHINES: Readonly<Record<number, string>> = { 62: 'linux-x64', 183: 'linux-arm64' }
/** First words of programs of other systems: of Mach-O in both orders and for several CPUs. */
const MACH_O = [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe]

/** Every regular file of an image, as paths within it. */
export const listFiles = async (root: string): Promise<string[]> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(root.length))
}

/** The platform that a file is machine code of; undefined for what is none. */
export const platformOf = async (path: string): Promise<string | undefined> => {
  const file = await open(path)
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0)
    if (bytesRead < HEADER_BYTES) return undefined
    const word = header.readUInt32BE(0)
    if (word === ELF) return MACHINES[header.readUInt16LE(MACHINE_OFFSET)] ?? 'another CPU'
    if (header.toString('latin1', 0, 2) === 'MZ') return 'windows'
    return MACH_O.includes(word) ? 'darwin' : undefined
  } finally {
    await file.close()
  }
}

/** Shows the files of an image to `work`. */
export const withMounted = async <T>(image: string, work: (root: string) => Promise<T>): Promise<T> => {
  const root = await podman(['image', 'mount', image])
  try {
    return await work(root)
  } finally {
    await podman(['image', 'unmount', image])
  }
}
