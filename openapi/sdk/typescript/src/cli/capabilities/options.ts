import type { GenerateRequest } from '../../generated/contract.ts'
import { readNumber, said } from '../command.ts'
import { readSchedule, SCHEDULE_NAMES } from './read-schedule.ts'

/** Options for what only some models take; what one that does not answers is for the server to say. */
export const CAPABILITY_OPTIONS = {
  class: { type: 'string' },
  prompt: { type: 'string' },
  'negative-prompt': { type: 'string' },
  size: { type: 'string' },
  cfg: { type: 'string' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  smooth: { type: 'boolean' },
  schedule: { type: 'string', multiple: true }
} as const

export const CAPABILITY_USAGE = `  --class CLASS  --prompt TEXT  --negative-prompt TEXT  --size WIDTHxHEIGHT
  --cfg N  --top-k N  --top-p N  --smooth
  --schedule ${SCHEDULE_NAMES.join('|')}=V,V,… …           a value for each scale; of a class none as well`

type Name = keyof typeof CAPABILITY_OPTIONS
type Values = {
  [Option in Exclude<Name, 'smooth' | 'schedule'>]?: string | undefined
} & { smooth?: boolean | undefined; schedule?: string[] | undefined }

/** A class by its label or its name. */
export const asClass = (text: string): Pick<GenerateRequest, 'class_label' | 'class_name'> =>
  /^\d+$/.test(text) ? { class_label: Number(text) } : { class_name: text }

/** The fields that these options say. */
export const readCapabilities = (values: Values) => ({
  ...(values.class !== undefined && asClass(values.class)),
  ...said<Pick<GenerateRequest, 'prompt' | 'negative_prompt' | 'size' | 'cfg' | 'top_k' | 'top_p' | 'smooth' | 'schedule'>>({
    prompt: values.prompt,
    negative_prompt: values['negative-prompt'],
    size: values.size,
    cfg: readNumber('cfg', values.cfg),
    top_k: readNumber('top-k', values['top-k']),
    top_p: readNumber('top-p', values['top-p']),
    smooth: values.smooth,
    schedule: readSchedule(values.schedule)
  })
})
