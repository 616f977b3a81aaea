import { plainLine } from './plain-text.ts'
import type { CliConfig } from '../config.ts'
import { showImage } from './show-image.ts'

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

/** As much of a line as fits, so that it can be replaced: what wraps is two. */
const fit = (line: string, columns: number): string =>
  Array.from(line)
    .slice(0, Math.max(0, columns - 1))
    .join('')

/** `canErase` is whether the terminal knows how to clear a line; one that does not shows no progress. */
export const openTerminal = (
  { imageProtocol: protocol, canErase }: Pick<CliConfig, 'imageProtocol' | 'canErase'>,
  stream: Stream = process.stderr
): Terminal => {
  const write = (text: string) => void (stream.isTTY && canErase && stream.write(text))
  let shownLine = ''
  return {
    canShowImages: stream.isTTY === true && canErase && protocol !== undefined,
    status: (line) => {
      const fitting = fit(plainLine(line), stream.columns || COLUMNS)
      if (fitting === shownLine) return
      shownLine = fitting
      write(`${CLEAR}${fitting}`)
    },
    clear: () => {
      if (shownLine !== '') write(CLEAR)
      shownLine = ''
    },
    showImage: async (bytes) => {
      const shown = protocol && (await showImage(bytes, protocol, stream.columns || COLUMNS))
      if (shown === undefined) return
      write(`${CLEAR}${shown}\n`)
      shownLine = ''
    }
  }
}
