import type { CliConfig } from './config.ts'
import { showImage } from './show-image.ts'

/** Standard error as a place where progress is shown; one that is no terminal shows nothing. */
export interface Terminal {
  canShowImages: boolean
  /** Replaces the line that is shown for the time being. */
  status: (line: string) => void
  clear: () => void
  showImage: (bytes: Uint8Array) => Promise<void>
}

const CLEAR = '\r\u001B[2K'

export const openTerminal = (
  stream: { isTTY?: boolean; write: (text: string) => unknown },
  protocol: CliConfig['imageProtocol']
): Terminal => {
  const write = (text: string) => void (stream.isTTY && stream.write(text))
  return {
    canShowImages: stream.isTTY === true && protocol !== undefined,
    status: (line) => write(`${CLEAR}${line}`),
    clear: () => write(CLEAR),
    showImage: async (bytes) => {
      const shown = protocol && (await showImage(bytes, protocol))
      if (shown !== undefined) write(`${CLEAR}${shown}\n`)
    }
  }
}
