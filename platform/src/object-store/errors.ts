/** The store cannot be used now. The message is public; the cause is for the log. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'

  constructor(message: string, cause: unknown) {
    super(message, { cause })
  }
}

/** A bucket that cannot be used before its operator has seen to it. The message says to what. */
export class BucketRefused extends Error {
  override readonly name = 'BucketRefused'

  constructor(message: string, cause: unknown) {
    super(message, { cause })
  }
}

/** There is no such object. The message is public. */
export class NoSuchObject extends Error {
  override readonly name = 'NoSuchObject'
}

/** A link that was changed, or has expired. The message is public. */
export class BadLink extends Error {
  override readonly name = 'BadLink'
}
