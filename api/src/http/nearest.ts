/** Number of single-character edits that turn one text into the other. */
const editDistance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

const lowerCase = (text: string) => text.toLowerCase()

/** The candidates most like the text, best first: those that contain it, then those few edits away. `normal` is how they are compared. */
export const nearest = (
  text: string,
  candidates: readonly string[],
  { count = 3, normal = lowerCase }: { count?: number; normal?: (text: string) => string } = {}
): string[] => {
  const wanted = normal(text).slice(0, 64)
  const scored: { candidate: string; score: number }[] = []
  for (const candidate of candidates) {
    const other = normal(candidate).slice(0, 64)
    const contained = wanted.length > 1 && (other.includes(wanted) || (other.length > 2 && wanted.includes(other)))
    const distance = editDistance(wanted, other)
    const score = contained ? Math.min(distance, 1) + distance / 1000 : distance
    if (contained || distance <= Math.max(2, Math.floor(wanted.length / 3))) scored.push({ candidate, score })
  }
  return scored
    .toSorted((a, b) => a.score - b.score)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}
