import { withoutSecrets } from '../keys/token.ts'

const SECRET_PARAMETERS = ['token', 'signature']

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

const redacted = (parameter: string): string => {
  const [name = ''] = parameter.split('=', 1)
  return SECRET_PARAMETERS.includes(decoded(name)) ? `${name}=…` : parameter
}

/** A request's URL as the log may show it: without what opens anything. */
export const loggedUrl = (url: string): string => {
  const queryAt = url.indexOf('?')
  if (queryAt < 0) return withoutSecrets(url)
  const query = url
    .slice(queryAt + 1)
    .split('&')
    .map(redacted)
    .join('&')
  return withoutSecrets(`${url.slice(0, queryAt)}?${query}`)
}
