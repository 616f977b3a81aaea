import type { StartKey } from './ensure-key.ts'

const PREFERRED_CLASS = 'fox'
const REQUEST_TIMEOUT_MS = 2000

const get = async (url: string, token: string | undefined): Promise<unknown> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return (await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })).json()
}

/** A class the default model knows, for the example to ask for. */
const exampleClass = async (base: string, token: string | undefined): Promise<string | undefined> => {
  try {
    const models = (await get(`${base}/v1/models`, token)) as { data: { id: string; default: boolean }[] }
    const id = models.data.find((model) => model.default)?.id
    const url = `${base}/v1/models/${id}/classes`
    const found = (await get(`${url}?q=${PREFERRED_CLASS}`, token)) as { data: { name: string }[] }
    if (found.data.some(({ name }) => name === PREFERRED_CLASS)) return PREFERRED_CLASS
    const all = (await get(url, token)) as { data: { name: string }[] }
    return all.data.find(({ name }) => /^[\w ,.-]+$/.test(name))?.name
  } catch {
    return undefined
  }
}

/** A command that waits for a picture and saves it. `-f`: a refusal must not end up in the file. */
export const exampleCommand = (base: string, className: string | undefined, token?: string): string => {
  const file = `${(className ?? 'picture').replace(/\W+/g, '-').toLowerCase()}.png`
  const body = className === undefined ? '{}' : `{"class_name": "${className}"}`
  const key = token === undefined ? '' : ` -H 'Authorization: Bearer ${token}'`
  return [
    `curl -fsS ${base}/generate${key} \\`,
    `  -H 'Accept: image/png' -H 'Content-Type: application/json' -d '${body}' -o ${file}`
  ].join('\n')
}

const describeKey = (key: StartKey): string[] => {
  if (key.kind === 'none') return []
  if (key.kind === 'others') return ['API key              one of those this Redis has; put it in place of KEY below']
  return [`API key              ${key.token}`]
}

const tokenOf = (key: StartKey): string | undefined => (key.kind === 'local' ? key.token : undefined)

/** What to tell somebody whose server has just become ready. */
export const greet = async (base: string, key: StartKey): Promise<string> => {
  const className = await exampleClass(base, tokenOf(key))
  const command = exampleCommand(base, className, key.kind === 'others' ? 'KEY' : tokenOf(key))
  const facts = [`Nextscale is ready   ${base}`, `API reference        ${base}/docs`, ...describeKey(key)]
  return `
${facts.join('\n').replaceAll(/^/gm, '  ')}

  Make a picture:

${command.replaceAll(/^/gm, '    ')}

  Ctrl-C stops it; what was generated is kept.
`
}
