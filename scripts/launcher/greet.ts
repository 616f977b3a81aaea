import type { StartKey } from './ensure-key.ts'

const PREFERRED_CLASS = 'fox'
const PROMPT = 'a red fox in the snow'
const REQUEST_TIMEOUT_MS = 2000

const get = async (url: string, token: string | undefined): Promise<unknown> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return (await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })).json()
}

/** What the example asks for: a field of requests, and its text. */
export type Subject = { class_name: string } | { prompt: string }

/** A class that the default model knows, or a prompt where it takes one. */
const exampleSubject = async (base: string, token: string | undefined): Promise<Subject | undefined> => {
  try {
    const models = (await get(`${base}/v1/models`, token)) as { data: { id: string; default: boolean; capabilities: string[] }[] }
    const model = models.data.find((listed) => listed.default)
    if (model?.capabilities.includes('prompt')) return { prompt: PROMPT }
    const url = `${base}/v1/models/${model?.id}/classes`
    const found = (await get(`${url}?q=${PREFERRED_CLASS}`, token)) as { data: { name: string }[] }
    if (found.data.some(({ name }) => name === PREFERRED_CLASS)) return { class_name: PREFERRED_CLASS }
    const all = (await get(url, token)) as { data: { name: string }[] }
    const plain = all.data.find(({ name }) => /^[\w ,.-]+$/.test(name))?.name
    return plain === undefined ? undefined : { class_name: plain }
  } catch {
    return undefined
  }
}

/** Inside the double quotes of a shell, as it is. */
const quoted = (text: string): string => text.replaceAll(/["$`\\]/g, String.raw`\$&`)

/** A command that waits for a picture and saves it. `-f`: a refusal must not end up in the file. `key` may be a shell's substitution. */
export const exampleCommand = (base: string, subject: Subject | undefined, key?: string): string => {
  const [[field, text] = []] = Object.entries(subject ?? {})
  const file = `${(text ?? 'picture').replace(/\W+/g, '-').toLowerCase()}.png`
  const body = field === undefined ? '{}' : `{"${field}": "${text}"}`
  const authorization = key === undefined ? '' : ` -H "Authorization: Bearer ${key}"`
  return [
    `curl -fsS ${base}/generate${authorization} \\`,
    `  -H 'Accept: image/png' -H 'Content-Type: application/json' -d '${body}' -o ${file}`
  ].join('\n')
}

export interface Place {
  /** Where the key lies. */
  keyFile: string
  /** Whether what is said is read on a terminal; elsewhere it may be kept where others can read it. */
  isTerminal: boolean
}

const describeKey = (key: StartKey, { keyFile, isTerminal }: Place): string[] => {
  if (key.kind === 'none') return []
  if (key.kind === 'others') return ['API key              one of those this Redis has; put it in place of KEY below']
  return [`API key              ${isTerminal ? key.token : `in ${keyFile}`}`]
}

/** The key as the example has it. */
const keyInExample = (key: StartKey, { keyFile, isTerminal }: Place): string | undefined => {
  if (key.kind === 'none') return undefined
  if (key.kind === 'others') return 'KEY'
  return isTerminal ? key.token : `$(cat "${quoted(keyFile)}")`
}

/** What to tell somebody whose server has just become ready. */
export const greet = async (base: string, key: StartKey, place: Place): Promise<string> => {
  const subject = await exampleSubject(base, key.kind === 'local' ? key.token : undefined)
  const command = exampleCommand(base, subject, keyInExample(key, place))
  const facts = [`Nextscale is ready   ${base}`, `API reference        ${base}/docs`, ...describeKey(key, place)]
  return `
${facts.join('\n').replaceAll(/^/gm, '  ')}

  Make a picture:

${command.replaceAll(/^/gm, '    ')}

  Ctrl-C stops it; what was generated is kept.
`
}
