/** Longer text loses its middle: a sentence begins with what it is about and ends with the way out. */
const MAX_LENGTH = 1_000
const KEPT_AT_THE_END = 300

/**
 * Text that came from anywhere as one line that is only shown: what a terminal would obey, what breaks a line and what turns
 * the direction of writing become spaces. Spaces stay, so that columns do.
 */
export const plainLine = (text: string): string => {
  const isLong = text.length > MAX_LENGTH
  const kept = isLong ? `${text.slice(0, MAX_LENGTH - KEPT_AT_THE_END)} … ${text.slice(-KEPT_AT_THE_END)}` : text
  return kept.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
}
