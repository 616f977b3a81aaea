import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readSafetensors } from '../checkpoint/read-safetensors.ts'
import { hashFile } from '../model/hash-file.ts'
import type { Manifest } from '../families/var/model/manifest.ts'
import { SHIPPED_MODEL } from './folders.ts'
import { type HeaderEntry, writeSafetensors } from './write-safetensors.ts'

/** A copy of the shipped model, whose weights are halves; gone when the test ends. */
export const copyModel = async (t: TestContext): Promise<string> => {
  const folder = await temporaryFolder(t)
  await cp(SHIPPED_MODEL, folder, { recursive: true })
  return folder
}

export const changeManifest = async (folder: string, change: (manifest: Manifest) => unknown): Promise<void> => {
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest
  await change(manifest)
  await writeFile(path, JSON.stringify(manifest))
}

export type Part = 'tokenizer' | 'transformer'

/** Puts the hash of a part's file as it is into the manifest. */
export const renewHash = async (folder: string, part: Part): Promise<void> => {
  const sha256 = await hashFile(join(folder, `${part}.safetensors`))
  await changeManifest(folder, ({ files }) => (files[part].sha256 = sha256))
}

/** Writes a part anew, of zeros, with one of its tensors described otherwise. */
export const changeEntry = async (folder: string, part: Part, tensor: string, entry: HeaderEntry): Promise<void> => {
  const path = join(folder, `${part}.safetensors`)
  const tensors = [...(await readSafetensors(path)).values()]
  const entries = tensors.map(({ name, dtype, shape }): [string, HeaderEntry] => [name, { dtype, shape: [...shape] }])
  await writeSafetensors(path, { ...Object.fromEntries(entries), [tensor]: entry })
  await renewHash(folder, part)
}
