import { ConfigError, type Environment, readList } from '@nextscale/platform/config'

const shown = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)

const originOf = (text: string): string | undefined => {
  if (!URL.canParse(text) || text.includes('*')) return undefined
  const { protocol, origin } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined
}

/** Origins of web pages, as browsers write them; `*` for all. */
export const readOrigins = (env: Environment, name: string): readonly string[] | '*' => {
  const items = readList(env, name)
  if (items.length === 1 && items[0] === '*') return '*'
  const wrong = items.find((item) => originOf(item) !== item)
  if (wrong === undefined) return Object.freeze(items)
  const meant = originOf(wrong)
  throw new ConfigError(
    meant === undefined
      ? `${name} must be origins of web pages such as "https://app.example,http://localhost:3000", or "*" alone for all, not ${shown(wrong)}.`
      : `${name} has more or other than an origin, which is a protocol, a host and a port that is not the usual one: write "${meant}".`
  )
}
