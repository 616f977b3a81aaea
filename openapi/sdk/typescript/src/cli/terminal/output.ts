import { plainLine, plainText } from './plain-text.ts'

/** Where a command says what came of it. Texts from elsewhere may be part of all of it but a file: they are only shown. */
export interface Output {
  /** One line of the result. */
  say: (line: string) => void
  /** Several lines of the result, all of them our own. */
  sayText: (text: string) => void
  /** The result as JSON, which loses nothing: what a terminal might obey is escaped. */
  sayJson: (value: object) => void
  /** A file as the result. */
  sayBytes: (bytes: Uint8Array) => Promise<void>
  /** One line about how it goes, on standard error. */
  note: (line: string) => void
  /** Lines of somebody else, on standard error. */
  quote: (text: string) => void
  /** Whether the result is read on a terminal. */
  isTerminal: boolean
}

/** What a shell says of a program that SIGPIPE has ended. */
const READER_LEFT = 141
/** Characters that JSON need not escape and a terminal may obey. */
const UNESCAPED = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g

const toJson = (value: object): string =>
  JSON.stringify(value, null, 2).replaceAll(
    UNESCAPED,
    (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0')
  )

/** The output of this process. It ends without a word when its reader leaves, as `head` does; its errors nobody need read. */
export const openOutput = ({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process): Output => {
  const note = (line: string) => void stderr.write(`${plainLine(line)}\n`)
  stderr.on('error', () => undefined)
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_LEFT)
    note(`nextscale: The output cannot be written: ${error.message}`)
    process.exit(1)
  })
  return {
    say: (line) => void stdout.write(`${plainLine(line)}\n`),
    sayText: (text) => void stdout.write(`${plainText(text)}\n`),
    sayJson: (value) => void stdout.write(`${toJson(value)}\n`),
    sayBytes: (bytes) => new Promise((resolve) => stdout.write(bytes, () => resolve())),
    note,
    quote: (text) => void stderr.write(`${plainText(text)}\n`),
    isTerminal: stdout.isTTY
  }
}
