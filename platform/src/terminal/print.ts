import { plainText } from './plain-text.ts'

/** What a shell says of a program that SIGPIPE has ended. */
const READER_LEFT = 141

/** Prints a line of the result; texts from elsewhere may be part of it, and are only shown. */
export const print = (text: string): void => void process.stdout.write(`${plainText(text)}\n`)

/** Prints a line about how it goes, on standard error. */
export const printError = (text: string): void => void process.stderr.write(`${plainText(text)}\n`)

/** Has the process end without a word when whoever reads its output leaves, as `head` does; nobody need read its errors. */
export const endWithReader = (): void => {
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_LEFT)
    printError(`The output cannot be written: ${error.message}`)
    process.exit(1)
  })
}
