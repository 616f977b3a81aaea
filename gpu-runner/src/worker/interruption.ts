/** Why a job’s signal was aborted. */
export class Interruption extends Error {
  override name = 'Interruption'
  readonly kind: 'canceled' | 'shutdown' | 'lock-lost'

  constructor(kind: 'canceled' | 'shutdown' | 'lock-lost') {
    super(kind)
    this.kind = kind
  }
}
