/** A model folder in a bucket. */
export interface ModelUrl {
  /** As it was written, without closing slashes. */
  url: string
  bucket: string
  /** With its closing slash; empty for the whole bucket. */
  prefix: string
}

const SCHEME = 's3://'
const SHAPE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9._=+@-]+)*)\/*$/

/** Whether a text is meant as one, well written or not. */
export const isModelUrl = (text: string): boolean => text.startsWith(SCHEME)

/** Undefined for what is not of the form `s3://bucket/prefix`. */
export const parseModelUrl = (text: string): ModelUrl | undefined => {
  const [, bucket, path = ''] = SHAPE.exec(text) ?? []
  if (bucket === undefined) return undefined
  return { url: `${SCHEME}${bucket}${path}`, bucket, prefix: path === '' ? '' : `${path.slice(1)}/` }
}
