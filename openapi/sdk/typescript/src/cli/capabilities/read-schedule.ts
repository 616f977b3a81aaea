import type { GenerateRequest } from '../../generated/contract.ts'
import { UsageError } from '../command.ts'

type Schedule = NonNullable<GenerateRequest['schedule']>

/** What the command calls each field: one that the contract has and this has not does not compile. */
const NAMES: Readonly<Record<keyof Schedule, string>> = { cfg: 'cfg', top_k: 'top-k', top_p: 'top-p', class_label: 'class' }
const FIELDS = new Map(Object.entries(NAMES).map(([field, name]) => [name, field as keyof Schedule]))

/** Of all fields. */
export const SCHEDULE_NAMES: readonly string[] = [...FIELDS.keys()]

/** Of a class: unconditional. */
const NONE = 'none'

const readEntry = (pair: string, field: keyof Schedule, text: string): number | null => {
  if (field === 'class_label' && text.trim() === NONE) return null
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new UsageError(`--schedule is "${pair}"; "${text}" is no number.`)
}

/** Settings per scale, such as `cfg=0,1,2.5` and `class=none,none,3`. */
export const readSchedule = (pairs: readonly string[] | undefined): GenerateRequest['schedule'] => {
  if (!pairs) return undefined
  const entries = pairs.map((pair): [keyof Schedule, (number | null)[]] => {
    const [name = '', text] = pair.split(/=(.*)/s)
    const field = FIELDS.get(name)
    if (field === undefined || text === undefined)
      throw new UsageError(
        `--schedule is "${pair}"; give ${SCHEDULE_NAMES.join(', ')} and a value for each scale, such as cfg=0,1,2.`
      )
    return [field, text.split(',').map((entry) => readEntry(pair, field, entry))]
  })
  return Object.fromEntries(entries) as Schedule
}
