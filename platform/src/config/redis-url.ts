const LOOKS_SO = 'must look like redis://host:6379, rediss://host:6379 or redis://user:password@host:6379'
const ENCODE = 'percent-encode it: "/" is %2F, "?" %3F, "#" %23, "@" %40 and "%" %25'

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const isRedisUrl = (text: string): boolean => {
  if (/\s/.test(text) || !URL.canParse(text)) return false
  const { protocol, host } = new URL(text)
  return ['redis:', 'rediss:'].includes(protocol) && host !== ''
}

/**
 * What is wrong with the URL of a Redis, as the end of a sentence that begins with its name; `undefined` of one that can be
 * used. The URL is not repeated, since it may hold a password.
 */
export const faultOfRedisUrl = (text: string): string | undefined => {
  // Clients decode user names and passwords, and fail with a stack on a stray percent sign.
  if (!isDecodable(text)) return 'has a "%" that is not percent-encoding: write it as "%25".'
  // The authority ends at the first of these, and so would the password, even where what is left can be read as a URL.
  if (/^rediss?:\/\/[^@]*[/?#][^@]*@/.test(text))
    return `has a "/", "?" or "#" before its last "@": if it is in the password, ${ENCODE}.`
  if (isRedisUrl(text)) return undefined
  return /^rediss?:\/\/.*@/.test(text) ? `${LOOKS_SO}. Is it the password, ${ENCODE}.` : `${LOOKS_SO}.`
}
