/** A reason not to start that the reader can act on: printed without a stack. */
export class StartError extends Error {}
