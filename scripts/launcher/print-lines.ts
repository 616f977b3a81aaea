import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { plainLine } from '@nextscale/platform/terminal'

const COLORS = { launcher: 35, api: 36, runner: 33, control: 32, redis: 90 } as const
export type Speaker = keyof typeof COLORS
const WIDTH = Math.max(...Object.keys(COLORS).map((name) => name.length))

export interface LinePrinter {
  print: (speaker: Speaker, line: string) => void
  /** Prints everything a stream says, line by line. */
  follow: (speaker: Speaker, stream: Readable) => void
}

/** Prints lines with the speaker's name in front; in colour only where somebody watches. What they say is shown and not obeyed. */
export const linePrinter = ({
  out = process.stdout,
  color = process.stdout.isTTY
}: { out?: NodeJS.WritableStream; color?: boolean } = {}): LinePrinter => {
  const prefix = (speaker: Speaker) => {
    const name = speaker.padEnd(WIDTH)
    return color ? `\u001b[${COLORS[speaker]}m${name}\u001b[0m` : name
  }
  const print = (speaker: Speaker, line: string) => void out.write(`${prefix(speaker)} ${plainLine(line)}\n`)
  return {
    print,
    follow: (speaker, stream) => void createInterface({ input: stream }).on('line', (line) => print(speaker, line))
  }
}
