import { API_KEY_FORMAT } from '@nextscale/openapi'

const { idLength, secretLength } = API_KEY_FORMAT
const ANY_KEY = new RegExp(`(ns_[a-z0-9]{${idLength}}_)[A-Za-z0-9]{${secretLength}}`, 'g')

/** A text in which every API key has lost its secret. */
const withoutKeys = (text: string): string => text.replace(ANY_KEY, '$1…')

/** Parameters of a query that let whoever has them in. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(['signature', 'token', 'x-amz-signature', 'x-amz-security-token'])

const nameOf = (pair: string): string => {
  const name = pair.split('=', 1)[0] ?? ''
  try {
    return decodeURIComponent(name).toLowerCase()
  } catch {
    return name.toLowerCase()
  }
}

const hideParameter = (pair: string) => (SECRET_PARAMETERS.has(nameOf(pair)) ? `${pair.split('=', 1)[0]}=***` : pair)

/** A URL or path as the log may have it: without signatures, tokens, and passwords before the host. */
export const loggedUrl = (url: string): string => {
  const begin = url.indexOf('?')
  const path = (begin < 0 ? url : url.slice(0, begin)).replace(/\/\/[^/@]*@/, '//***@')
  if (begin < 0) return withoutKeys(path)
  return withoutKeys(
    `${path}?${url
      .slice(begin + 1)
      .split('&')
      .map(hideParameter)
      .join('&')}`
  )
}

/** Any text, with every URL in it cleaned like that. */
export const loggedText = (text: string): string =>
  text.replaceAll(/(?:\b[a-z][a-z0-9+.-]{0,20}:\/\/|\/)[^\s"'<>]*/gi, (url) => loggedUrl(url))
