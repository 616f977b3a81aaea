import type { GenerationInput } from '../../generated/contract.ts'

/** A prompt is as long as a page; a line tells enough of it. */
const MAX_CHARACTERS = 60

const shortened = (text: string): string => {
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…` : text
}

/** What was asked for, whatever the family of the model. */
export const describeSubject = ({ class_name, class_label, prompt, size }: GenerationInput): string => {
  const subject =
    class_name ?? class_label ?? (prompt === undefined || prompt === null ? 'unconditional' : `"${shortened(prompt)}"`)
  return size === undefined || size === null ? String(subject) : `${subject}  ${size}`
}
