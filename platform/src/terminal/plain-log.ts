/** Escapes of JSON, one at a time, so that a backslash that is escaped hides none. */
const ESCAPE = /\\(?:u[\dA-Fa-f]{4}|.)/g
/** Of them, those of what a terminal obeys: C0 but tab and line feed, DEL and C1. */
const OBEYED = /^\\(?:[bfr]|u00(?:0[0-8B-Fb-f]|1[\dA-Fa-f]|7[Ff]|[89][\dA-Fa-f]))$/
/** The same where JSON leaves it as it is, and marks that turn the direction of writing. */
const RAW = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g

/** A line of a log in JSON, without what its texts would have a terminal do once it is shown in another form. */
export const plainLogLine = (line: string): string =>
  line.replaceAll(ESCAPE, (escape) => (OBEYED.test(escape) ? ' ' : escape)).replaceAll(RAW, ' ')

/** What shows a log to people, with the texts in it made plain. */
export const plainLog = (pretty: { write: (line: string) => unknown }): { write: (line: string) => void } => ({
  write: (line) => void pretty.write(plainLogLine(line))
})
