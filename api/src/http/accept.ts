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

const parse = (accept: string): Map<string, number> =>
  new Map(
    accept.split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';')
      return [type.trim().toLowerCase(), qualityOf(parameters)] as const
    })
  )

/** What an Accept header asks for. JSON wins at equal quality, and any type at all means JSON. */
export const readAccept = (accept: string | undefined): Acceptance => {
  if (accept === undefined || accept.trim() === '') return { json: true, formats: [] }
  const ranges = parse(accept)
  const json = ranges.get('application/json') ?? ranges.get('application/*') ?? ranges.get('*/*') ?? 0
  const quality = (format: ImageFormat) => ranges.get(CONTENT_TYPES[format]) ?? ranges.get('image/*') ?? 0
  const formats = IMAGE_FORMATS.filter((format) => quality(format) > json).toSorted((a, b) => quality(b) - quality(a))
  return { json: json > 0, formats }
}
