/** A command to the terminal: CSI with its parameters, OSC and its like up to their end, and the shorter ones. */
const SEQUENCE =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|(?:\u001B[PX\]^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u009C\n]*(?:\u0007|\u001B\\|\u009C)?|\u001B[ -/]*[0-~]/g
/** C0 but tab and line feed, DEL, C1, marks that turn the direction of writing, and line ends that are no line feed. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g

/** Text that came from anywhere, with nothing in it that a terminal obeys but tabs and line feeds. */
export const plainText = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll(SEQUENCE, '').replaceAll(CONTROL, ' ')

/** The same as one line: text from elsewhere must not look like lines of ours. */
export const plainLine = (text: string): string => plainText(text).replaceAll(/[\n\t]/g, ' ')
