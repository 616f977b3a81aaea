const PREFERRED_CLASS = 'fox'
const REQUEST_TIMEOUT_MS = 2000

const get = async (url: string): Promise<unknown> =>
  (await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })).json()

/** A class the default model knows, for the example to ask for. */
const exampleClass = async (base: string): Promise<string | undefined> => {
  try {
    const models = (await get(`${base}/v1/models`)) as { data: { id: string; default: boolean }[] }
    const id = models.data.find((model) => model.default)?.id
    const url = `${base}/v1/models/${id}/classes`
    const found = (await get(`${url}?q=${PREFERRED_CLASS}`)) as { data: { name: string }[] }
    if (found.data.some(({ name }) => name === PREFERRED_CLASS)) return PREFERRED_CLASS
    const all = (await get(url)) as { data: { name: string }[] }
    return all.data.find(({ name }) => /^[\w ,.-]+$/.test(name))?.name
  } catch {
    return undefined
  }
}

/** A command that generates a picture and fetches it, with nothing but curl and what every shell has. */
export const exampleCommand = (base: string, className: string | undefined): string => {
  const file = `${(className ?? 'picture').replace(/\W+/g, '-').toLowerCase()}.png`
  const body = className === undefined ? '{}' : `{"class_name":"${className}"}`
  return [
    `curl -s "$(curl -s ${base}/generate -o /dev/null -w '%header{location}' --json '${body}')?wait=60" |`,
    `  grep -o '"url":"[^"]*' | cut -c8- | xargs curl -so ${file}`
  ].join('\n')
}

/** What to tell somebody whose server has just become ready. */
export const greet = async (base: string): Promise<string> => {
  const command = exampleCommand(base, await exampleClass(base))
  return `
  Nextscale is ready   ${base}
  API reference        ${base}/docs

  Make a picture:

${command.replaceAll(/^/gm, '    ')}

  Ctrl-C stops it; what was generated is kept.
`
}
