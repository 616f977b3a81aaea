import { fileURLToPath } from 'node:url'

export const SHIPPED_MODEL = fileURLToPath(new URL('../../models/emoji-32', import.meta.url))
export const GOLDEN_MODEL = fileURLToPath(new URL('../../fixtures/var-d2-256', import.meta.url))
/** `{"class_name": "fox", "seed": 7}` by the shipped model, as it came back. */
export const SHIPPED_PICTURE = fileURLToPath(new URL('../../fixtures/emoji-32/fox-7.png', import.meta.url))
