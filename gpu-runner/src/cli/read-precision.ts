import { type Precision, PRECISIONS } from '../sampler/sampler-form.ts'
import { WrongCommandLine } from './command.ts'

/** The value of `--precision`; `null`, which leaves it to the manifest, when there is none. */
export const readPrecision = (text: string | undefined): Precision | null => {
  const precision = PRECISIONS.find((known) => known === text)
  if (precision === undefined && text !== undefined) {
    throw new WrongCommandLine(`--precision must be ${PRECISIONS.join(' or ')}, not "${text}".`)
  }
  return precision ?? null
}
