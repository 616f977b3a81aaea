/** The reason of an abort that the caller asked for. */
export class CancelRequested extends Error {
  override name = 'CancelRequested'
}
