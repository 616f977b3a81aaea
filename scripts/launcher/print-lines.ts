import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { plainLine } from '@nextscale/platform/terminal'

const COLORS = { launcher: 35, api: 36, runner: 33, control: 32, redis: 90 } as const
/** Of several runners each has the name of its pool. */
export type Speaker = keyof typeof COLORS | `runner-${string}`
const MIN_WIDTH = Math.max(...Object.keys(COLORS).map((name) => name.length))

const isKnown = (speaker: Speaker): speaker is keyof typeof COLORS => speaker in COLORS

export interface LinePrinter {
  print: (speaker: Speaker, line: string) => void
  /** Prints everything a stream says, line by line. */
  follow: (speaker: Speaker, stream: Readable) => void
}

/** Prints lines with the speaker's name in front; in colour only where somebody watches. What they say is shown and not obeyed. */
export const linePrinter = ({
  out = process.stdout,
  color = process.stdout.isTTY,
  speakers = []
}: { out?: NodeJS.WritableStream; color?: boolean; speakers?: readonly Speaker[] } = {}): LinePrinter => {
  const width = Math.max(MIN_WIDTH, ...speakers.map((speaker) => speaker.length))
  const prefix = (speaker: Speaker) => {
    const name = speaker.padEnd(width)
    return color ? `\u001b[${COLORS[isKnown(speaker) ? speaker : 'runner']}m${name}\u001b[0m` : name
  }
  const print = (speaker: Speaker, line: string) => void out.write(`${prefix(speaker)} ${plainLine(line)}\n`)
  return {
    print,
    follow: (speaker, stream) => void createInterface({ input: stream }).on('line', (line) => print(speaker, line))
  }
}
