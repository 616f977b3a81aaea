import { describe, it } from 'node:test'

interface Options {
  concurrency?: number
  timeout?: number
}

/** A suite, or where it cannot run one skipped test with the reason: node:test counts no suite that it skips. */
export const describeUnless = (
  reason: string | false,
  title: string,
  body: () => void | Promise<void>,
  options: Options = {}
): void => {
  if (reason === false) void describe(title, options, body)
  else void it(title, { skip: reason }, () => undefined)
}
