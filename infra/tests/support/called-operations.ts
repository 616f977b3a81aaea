import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ImportGraph, importGraph, ROOT } from './import-graph.ts'

const STORE = 'platform/src/object-store'
/** Files that ask S3, and those with the methods by which others have them ask. */
const FILES = ['s3.ts', 'list-s3.ts', 'bucket.ts', 'put-file.ts'].map((name) => join(ROOT, STORE, name))
const COMMAND = /new (\w+)Command\(/g

/** What a role needs for an operation, where that is not called the same. */
const ACTIONS: Readonly<Record<string, string>> = {
  HeadObject: 's3:GetObject',
  GetObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListObjectsV2: 's3:ListBucket',
  DeleteObjects: 's3:DeleteObject',
  GetSecretValue: 'secretsmanager:GetSecretValue',
  PutSecretValue: 'secretsmanager:PutSecretValue'
}

/** Clients of AWS whose operations are known here. */
export const KNOWN_CLIENTS: readonly string[] = ['@aws-sdk/client-s3', '@aws-sdk/client-secrets-manager']

const commandsIn = (text: string): string[] => [...text.matchAll(COMMAND)].map(([, name]) => name ?? '')

/** Parts of a text that begin where a pattern matches, by what it captures. */
const cut = (text: string, beginning: RegExp): Map<string, string> => {
  const starts = [...text.matchAll(beginning)]
  return new Map(starts.map((start, index) => [start[1] ?? '', text.slice(start.index, starts[index + 1]?.index)]))
}

const DECLARATION = /^(?:export )?(?:const|function|async function\*?) (\w+)/gm
/** Methods of the objects that `openS3Store` and `openBucket` return. */
const METHOD = /^ {4}(\w+): /gm

const declarations = new Map(FILES.flatMap((file) => [...cut(readFileSync(file, 'utf8'), DECLARATION)]))

/** Commands of a text and of all that it names. */
const commandsOf = (text: string, seen = new Set<string>()): string[] => {
  const named = [...declarations.keys()].filter((name) => !seen.has(name) && new RegExp(`\\b${name}\\b`).test(text))
  for (const name of named) seen.add(name)
  return [...commandsIn(text), ...named.flatMap((name) => commandsOf(declarations.get(name) ?? '', seen))]
}

const openers = ['openS3Store', 'openBucket']
const methodsOf = (opener: string): Map<string, string[]> =>
  new Map(
    [...cut(declarations.get(opener) ?? '', METHOD)].map(([name, text]) => [name, commandsOf(text, new Set(openers))] as const)
  )

const METHODS: Readonly<Record<string, Map<string, string[]>>> = {
  store: methodsOf('openS3Store'),
  bucket: methodsOf('openBucket')
}

/** Commands of the files that no method leads to: they would be called unseen. */
export const unattributed = (): string[] => {
  const seen = new Set(Object.values(METHODS).flatMap((methods) => [...methods.values()].flat()))
  return FILES.flatMap((file) => commandsIn(readFileSync(file, 'utf8'))).filter((name) => !seen.has(name))
}

const CALL = /\b(store|bucket)\??\.(\w+)\(/g
const PROTECTS = /task-protection\/v1\/state`?,? \{ method: 'PUT'/

const calledIn = (text: string): string[] => [
  ...[...text.matchAll(CALL)].flatMap(([, object = '', method = '']) => METHODS[object]?.get(method) ?? []),
  ...(/\bgetSecret\(/.test(text) ? ['GetSecretValue'] : []),
  ...(/\bputSecret\(/.test(text) ? ['PutSecretValue'] : [])
]

const DEFINES = [join(ROOT, STORE), join(ROOT, 'platform/src/secrets-manager.ts')]

export interface Called {
  graph: ImportGraph
  /** Actions of IAM that what it calls needs. */
  actions: string[]
  /** Commands in files where no call was looked for, such as a new client. */
  elsewhere: string[]
}

/** What a process asks of AWS, by the files that its start file may load. */
export const calledBy = (start: string): Called => {
  const graph = importGraph(start)
  const own = [...graph.files].filter(([file]) => !DEFINES.some((place) => file.startsWith(place)))
  const operations = own.flatMap(([, text]) => calledIn(text))
  const protects = own.some(([, text]) => PROTECTS.test(text)) ? ['ecs:UpdateTaskProtection'] : []
  const actions = operations.map((name) => ACTIONS[name] ?? `unknown:${name}`)
  return {
    graph,
    actions: [...new Set([...actions, ...protects])].toSorted(),
    elsewhere: own.flatMap(([, text]) => commandsIn(text))
  }
}
