/** A model folder in a bucket. */
export interface ModelUrl {
  /** As it was written, without closing slashes. */
  url: string
  bucket: string
  /** With its closing slash. */
  prefix: string
}

const SCHEME = 's3://'
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PART = /^[A-Za-z0-9._=+@-]+$/

/** Whether a text is meant as one, well written or not. */
export const isModelUrl = (text: string): boolean => text.startsWith(SCHEME)

/** What is wrong with the prefix, in parts. Clients of S3 resolve "." and ".." as paths do, or do not: nobody knows what they name. */
const faultOfPrefix = (parts: readonly string[]): string | undefined => {
  if (parts.length === 0) return "a prefix must follow the bucket's name"
  if (parts.some((part) => part === '.' || part === '..')) return 'no part of the prefix may be "." or ".."'
  if (parts.every((part) => PART.test(part))) return undefined
  return 'the prefix must have letters, digits and "._=+@-" alone, in parts separated by one "/" each'
}

const faultOf = (text: string, bucket: string, parts: readonly string[]): string | undefined => {
  if (!isModelUrl(text)) return `it must begin with ${SCHEME}`
  if (BUCKET.test(bucket)) return faultOfPrefix(parts)
  return 'the bucket\'s name must have 3 to 63 lower-case letters, digits, "." and "-", begin and end with a letter or digit, and have no two "." in a row'
}

/** Reads `s3://bucket/prefix`; of what is not of that form, says what is wrong with it. */
export const readModelUrl = (text: string): ModelUrl | { fault: string } => {
  const [bucket = '', ...parts] = text.slice(SCHEME.length).replace(/\/+$/, '').split('/')
  const fault = faultOf(text, bucket, parts)
  if (fault !== undefined) return { fault: `it is written s3://bucket/prefix, and ${fault}` }
  const path = parts.join('/')
  return { url: `${SCHEME}${bucket}/${path}`, bucket, prefix: `${path}/` }
}
