import type { GenerateRequest, ModelCard, ScheduleInForce } from '@nextscale/openapi'
import { summarise } from '../../http/field-errors.ts'
import { type FieldError, ProblemError } from '../../http/problem.ts'
import type { WithoutNulls } from '../../http/without-nulls.ts'

type RequestedSchedule = NonNullable<WithoutNulls<GenerateRequest>['schedule']>

const wrongLengths = ({ id, scales }: ModelCard, schedule: ScheduleInForce): FieldError[] =>
  Object.entries(schedule).flatMap(([setting, values]: [string, ScheduleInForce[keyof ScheduleInForce]]) => {
    if (values === null || values.length === scales.length) return []
    const detail = `${id} has ${scales.length} scales: send one entry for each, not ${values.length}.`
    return [{ pointer: `/schedule/${setting}`, detail }]
  })

const wrongTopKs = ({ id, vocabulary_size: vocabulary }: ModelCard, { top_k: topKs }: ScheduleInForce): FieldError[] =>
  (topKs ?? []).flatMap((topK, scale) => {
    if (topK <= vocabulary) return []
    const detail = `${id} has a vocabulary of ${vocabulary} tokens: top_k may be at most that, not ${topK}.`
    return [{ pointer: `/schedule/top_k/${scale}`, detail }]
  })

const wrongLabels = ({ id, num_classes: classes }: ModelCard, { class_label: labels }: ScheduleInForce): FieldError[] =>
  (labels ?? []).flatMap((label, scale) => {
    if (label === null || label < classes) return []
    const range = classes === 0 ? `${id} has no classes.` : `${id} has classes 0 to ${classes - 1}.`
    return [{ pointer: `/schedule/class_label/${scale}`, detail: `There is no class ${label}. ${range}` }]
  })

/**
 * The settings per scale that a request asks for, `null` when it asks for none.
 * @throws ProblemError that names every entry the model cannot honour.
 */
export const resolveSchedule = (card: ModelCard, requested: RequestedSchedule | null): ScheduleInForce | null => {
  const { cfg = null, top_k = null, top_p = null, class_label = null } = requested ?? {}
  const schedule: ScheduleInForce = { cfg, top_k, top_p, class_label }
  const outOfRange = [...wrongLengths(card, schedule), ...wrongTopKs(card, schedule)]
  if (outOfRange.length > 0) throw new ProblemError('out_of_range_for_model', summarise(outOfRange), { errors: outOfRange })
  const unknown = wrongLabels(card, schedule)
  if (unknown.length > 0) throw new ProblemError('unknown_class', summarise(unknown), { errors: unknown })
  return Object.values(schedule).every((values) => values === null) ? null : schedule
}
