const MAX_LENGTH = 100

/** Text from a file for use in a sentence: short, on one line, without control characters. */
export const plainText = (text: string): string => {
  // Cut twice: what is gone through stays short however long the text is, and nothing long comes out.
  const visible = text.slice(0, 2 * MAX_LENGTH).replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
  return visible.length > MAX_LENGTH || text.length > 2 * MAX_LENGTH ? `${visible.slice(0, MAX_LENGTH)}…` : visible
}
