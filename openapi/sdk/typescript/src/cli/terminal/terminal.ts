import { plainLine } from './plain-text.ts'
import { type ImageProtocol, showImage } from './show-image.ts'

/** Standard error as a place where progress is shown; one that is no terminal shows nothing. */
export interface Terminal {
  canShowImages: boolean
  /** Replaces the line that is shown for the time being. */
  status: (line: string) => void
  clear: () => void
  showImage: (bytes: Uint8Array) => Promise<void>
}

interface Stream {
  isTTY?: boolean
  /** Also 0, where nobody has said. */
  columns?: number
  write: (text: string) => unknown
}

const CLEAR = '\r\u001B[2K'
const COLUMNS = 80

export const openTerminal = (protocol: ImageProtocol | undefined, stream: Stream = process.stderr): Terminal => {
  const write = (text: string) => void (stream.isTTY && stream.write(text))
  return {
    canShowImages: stream.isTTY === true && protocol !== undefined,
    status: (line) => write(`${CLEAR}${plainLine(line)}`),
    clear: () => write(CLEAR),
    showImage: async (bytes) => {
      const shown = protocol && (await showImage(bytes, protocol, stream.columns || COLUMNS))
      if (shown !== undefined) write(`${CLEAR}${shown}\n`)
    }
  }
}
