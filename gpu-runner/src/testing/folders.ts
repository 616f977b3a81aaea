import { fileURLToPath } from 'node:url'

export const SHIPPED_MODEL = fileURLToPath(new URL('../../models/emoji-32', import.meta.url))
export const GOLDEN_MODEL = fileURLToPath(new URL('../../fixtures/var-d2-256', import.meta.url))
