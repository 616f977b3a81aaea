import type { Generation, Progress } from '../generated/contract.ts'

const WIDTH = 24

/** A bar of the tokens drawn, which shows the later scales as long as they take. */
export const progressLine = ({ scale, scales, tokens, tokens_total }: Progress): string => {
  const full = Math.round((WIDTH * tokens) / tokens_total)
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} scale ${scale} of ${scales}`
}

/** What there is to say about a generation that is not drawn yet. */
export const stateLine = ({ status, stage, queue, progress }: Generation): string => {
  if (progress) return progressLine(progress)
  const ahead = queue?.position
  return ahead === null || ahead === undefined ? (stage ?? status) : `${status}, ${ahead} ahead`
}
