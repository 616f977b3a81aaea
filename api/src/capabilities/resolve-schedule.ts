import { CAPABILITIES, type GenerateRequest, type GenerationInput, type ModelCard } from '@nextscale/openapi'
import { summarise } from '../http/field-errors.ts'
import { type FieldError, ProblemError } from '../http/problem.ts'
import type { WithoutNulls } from '../http/without-nulls.ts'
import { wrongTopK } from './resolve-top-k.ts'

type ScheduleInForce = NonNullable<GenerationInput['schedule']>
type RequestedSchedule = NonNullable<WithoutNulls<GenerateRequest>['schedule']>

const wrongLengths = ({ id, scales }: ModelCard, schedule: ScheduleInForce): FieldError[] =>
  Object.entries(schedule).flatMap(([setting, values]: [string, ScheduleInForce[keyof ScheduleInForce]]) => {
    if (values === null || values.length === scales.length) return []
    const detail = `${id} has ${scales.length} scales: send one entry for each, not ${values.length}.`
    return [{ pointer: `/schedule/${setting}`, detail }]
  })

const wrongTopKs = (card: ModelCard, { top_k: topKs }: ScheduleInForce): FieldError[] =>
  (topKs ?? []).flatMap((topK, scale) => {
    const detail = wrongTopK(card, topK)
    return detail === undefined ? [] : [{ pointer: `/schedule/top_k/${scale}`, detail }]
  })

const wrongLabels = ({ id, num_classes }: ModelCard, { class_label: labels }: ScheduleInForce): FieldError[] =>
  (labels ?? []).flatMap((label, scale) => {
    const classes = num_classes ?? 0
    if (label === null || label < classes) return []
    const range = classes === 0 ? `${id} has no classes.` : `${id} has classes 0 to ${classes - 1}.`
    return [{ pointer: `/schedule/class_label/${scale}`, detail: `There is no class ${label}. ${range}` }]
  })

/**
 * The settings per scale that a request asks for, `null` when it asks for none.
 * @throws ProblemError that names every entry the model cannot honour.
 */
export const resolveSchedule = (card: ModelCard, requested: RequestedSchedule | null): ScheduleInForce | null => {
  const schedule = CAPABILITIES.schedule.complete(requested)
  if (schedule === null) return null
  const outOfRange = [...wrongLengths(card, schedule), ...wrongTopKs(card, schedule)]
  if (outOfRange.length > 0) throw new ProblemError('out_of_range_for_model', summarise(outOfRange), { errors: outOfRange })
  const unknown = wrongLabels(card, schedule)
  if (unknown.length > 0) throw new ProblemError('unknown_class', summarise(unknown), { errors: unknown })
  return Object.values(schedule).every((values) => values === null) ? null : schedule
}
