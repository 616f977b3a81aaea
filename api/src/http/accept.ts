import { CONTENT_TYPES, IMAGE_FORMATS } from '@nextscale/openapi'

export type ImageFormat = (typeof IMAGE_FORMATS)[number]

export interface Acceptance {
  /** Whether JSON can be the answer. */
  json: boolean
  /** Formats of a picture that is preferred to JSON, the most wanted first; empty: JSON is the answer. */
  formats: readonly ImageFormat[]
}

const qualityOf = (parameters: readonly string[]): number => {
  for (const parameter of parameters) {
    const [, q] = /^\s*q\s*=\s*"?([\d.]+)"?\s*$/i.exec(parameter) ?? []
    if (q !== undefined) return Math.min(1, Number(q) || 0)
  }
  return 1
}

/** Names that are in use beside the registered ones. */
const ALIASES: Readonly<Record<string, string>> = { 'image/jpg': CONTENT_TYPES.jpeg, 'image/pjpeg': CONTENT_TYPES.jpeg }

/** Media types with their quality. Empty elements of the list count for nothing. */
const parse = (accept: string): Map<string, number> =>
  new Map(
    accept.split(',').flatMap((range) => {
      const [text = '', ...parameters] = range.split(';')
      const type = text.trim().toLowerCase()
      return type === '' ? [] : [[ALIASES[type] ?? type, qualityOf(parameters)] as const]
    })
  )

/** What an Accept header asks for. JSON wins at equal quality, and any type at all means JSON. */
export const readAccept = (accept: string | undefined): Acceptance => {
  const ranges = parse(accept ?? '')
  if (ranges.size === 0) return { json: true, formats: [] }
  const json = ranges.get('application/json') ?? ranges.get('application/*') ?? ranges.get('*/*') ?? 0
  const quality = (format: ImageFormat) => ranges.get(CONTENT_TYPES[format]) ?? ranges.get('image/*') ?? 0
  const formats = IMAGE_FORMATS.filter((format) => quality(format) > json).toSorted((a, b) => quality(b) - quality(a))
  return { json: json > 0, formats }
}
