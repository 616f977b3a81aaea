import type { TestEvent } from 'node:test/reporters'

/** What a run of node:test amounts to, as the reporter writes it. */
export interface TestCounts {
  passed: number
  failed: number
  skipped: number
  /** Failed tests, as `name (file)`. */
  failures: string[]
  /** Tests that were skipped, as `name: reason`. */
  skips: string[]
}

/** Writes the counts of the whole run as one JSON object; a run that crashes writes none. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from there
export default async function* countReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = []
  const skips: string[] = []
  for await (const { type, data } of source) {
    if (type === 'test:fail' && data.details.type !== 'suite') failures.push(`${data.name} (${data.file ?? 'no file'})`)
    if (type === 'test:pass' && typeof data.skip === 'string') skips.push(`${data.name}: ${data.skip}`)
    if (type !== 'test:summary' || data.file !== undefined) continue
    const { tests, passed, skipped, todo } = data.counts
    yield JSON.stringify({
      passed,
      failed: tests - passed - skipped - todo,
      skipped: skipped + todo,
      failures,
      skips
    } satisfies TestCounts)
  }
}
