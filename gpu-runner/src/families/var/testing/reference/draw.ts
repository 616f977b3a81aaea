export interface Drawn {
  token: number
  /** The logits [vocabulary] that could be drawn; those removed are -Infinity. */
  kept: Float64Array
  /** How near the closest decision was to falling the other way, as a difference of logits or a share of the mass. */
  margin: number
}

const least = (values: Iterable<number>): number => {
  let smallest = Number.POSITIVE_INFINITY
  for (const value of values) smallest = Math.min(smallest, value)
  return smallest
}

/** Logits below the k-th largest become -Infinity; 0 keeps all. */
const keepTopK = (logits: Float64Array, topK: number) => {
  if (topK === 0) return { kept: logits, margin: Number.POSITIVE_INFINITY }
  const kth = logits.toSorted().at(-topK) ?? Number.NEGATIVE_INFINITY
  return {
    kept: logits.map((logit) => (logit >= kth ? logit : Number.NEGATIVE_INFINITY)),
    margin: least(logits.filter((logit) => logit < kth).map((logit) => kth - logit))
  }
}

const massesOf = (logits: Float64Array): Float64Array => {
  const greatest = -least(logits.map((logit) => -logit))
  return logits.map((logit) => Math.exp(logit - greatest))
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

/** A token stays while the mass of the strictly likelier ones is a share below p of all; 1 keeps all. */
const keepTopP = (logits: Float64Array, topP: number) => {
  if (topP >= 1) return { kept: logits, margin: Number.POSITIVE_INFINITY }
  const masses = massesOf(logits)
  const total = sum(masses)
  const shareAbove = masses.map((mass) => sum(masses.filter((other) => other > mass)) / total)
  return {
    kept: logits.map((logit, token) => ((shareAbove[token] ?? 1) < topP ? logit : Number.NEGATIVE_INFINITY)),
    margin: least(shareAbove.map((share) => Math.abs(share - topP)))
  }
}

/** Top-k, then top-p on what is left, both keeping ties, then inverse CDF in index order with `uniform` in [0, 1). */
export const drawToken = (logits: Float64Array, { topK, topP }: { topK: number; topP: number }, uniform: number): Drawn => {
  const byCount = keepTopK(logits, topK)
  const byMass = keepTopP(byCount.kept, topP)
  const masses = massesOf(byMass.kept)
  const total = sum(masses)
  let cumulative = 0
  let token = -1
  let margin = Math.min(byCount.margin, byMass.margin)
  masses.forEach((mass, candidate) => {
    cumulative += mass
    if (token === -1 && mass > 0 && cumulative > uniform * total) token = candidate
    // The end of the last kept token is no border between two.
    if (mass > 0 && cumulative < total) margin = Math.min(margin, Math.abs(cumulative / total - uniform))
  })
  return { token, kept: byMass.kept, margin }
}
