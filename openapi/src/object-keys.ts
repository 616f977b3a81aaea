import { GENERATION_ID_PATTERN } from './schemas/primitives.ts'
import type { IMAGE_FORMATS } from './schemas/generate-request.ts'

type Format = (typeof IMAGE_FORMATS)[number]

const EXTENSIONS: Record<Format, string> = { png: 'png', webp: 'webp', jpeg: 'jpg' }
export const CONTENT_TYPES: Record<Format, string> = { png: 'image/png', webp: 'image/webp', jpeg: 'image/jpeg' }
export const TOKENS_CONTENT_TYPE = 'application/octet-stream'

/** File names inside a generation’s folder. */
export const OBJECT_FILE_PATTERN = '^[0-9]{1,2}(\\.(png|webp|jpg|tokens)|-[0-9]{1,2}\\.webp)$'

/** Folder of the folders of all generations, with its closing slash. */
export const GENERATIONS_PREFIX = 'generations/'

/** Folder of everything a generation stores, with its closing slash. */
export const generationPrefix = (generationId: string) => `${GENERATIONS_PREFIX}${generationId}/`

/** Key of picture `index` of a generation. */
export const pictureKey = (generationId: string, index: number, format: Format) =>
  `${generationPrefix(generationId)}${index}.${EXTENSIONS[format]}`

/** Key of the drawn tokens of picture `index`, as `packTokens` makes them. */
export const tokensKey = (generationId: string, index: number) => `${generationPrefix(generationId)}${index}.tokens`

/** Key of the preview of picture `index` after a scale. */
export const previewKey = (generationId: string, index: number, scale: number) =>
  `${generationPrefix(generationId)}${index}-${scale}.webp`

const FOLDER = `^${GENERATIONS_PREFIX}(${GENERATION_ID_PATTERN.slice(1, -1)})/`
const KEY = new RegExp(`${FOLDER}${OBJECT_FILE_PATTERN.slice(1)}`)
const IN_FOLDER = new RegExp(FOLDER)

/** Id of the generation whose folder a key lies in; undefined for a key in none. */
export const generationOf = (key: string): string | undefined => IN_FOLDER.exec(key)?.[1]

/** Whether a string is a key this project writes: no other may ever reach a file system or a bucket. */
export const isObjectKey = (key: string): boolean => KEY.test(key)
