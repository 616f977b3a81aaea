/** A token is a colour and takes its three bytes, red first: there are too many to be counted off as a vocabulary. */
export const packTokens = (tokens: Int32Array): Uint8Array => {
  const packed = new Uint8Array(tokens.length * 3)
  tokens.forEach((token, place) => packed.set([token >> 16, (token >> 8) & 0xff, token & 0xff], place * 3))
  return packed
}
