import type { Precision } from '../sampler/sampler-form.ts'
import type { ServedModel } from './family.ts'

/** What a person asks of a model folder. */
export interface Inspection {
  model: ServedModel
  /** Its name for people. */
  name: string
  /** What there is to know at a glance, each under its heading: `models list` shows a column for each. */
  facts(): Promise<Readonly<Record<string, string>>>
  /**
   * Looks at all that hashes do not tell, up to one picture; `say` hears what was found to be sound, a heading and a sentence each.
   * @throws ModelError in one sentence for the first thing that is not.
   */
  check(options: { precision: Precision | null; say: (heading: string, found: string) => void }): Promise<void>
}
