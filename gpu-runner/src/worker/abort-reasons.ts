/** The caller asked to cancel. */
export class CancelRequested extends Error {
  override name = 'CancelRequested'
}

/** The generation is not finished in time. */
export class DeadlinePassed extends Error {
  override name = 'DeadlinePassed'
}

/** The attempt that wanted the images has ended. */
export class AttemptOver extends Error {
  override name = 'AttemptOver'
}
