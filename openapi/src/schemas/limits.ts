export const UINT32_MAX = 4_294_967_295
export const MAX_CFG = 20
/** More scales than any model has. */
export const MAX_SCALES = 64
/** More than any model has of what is counted: classes, tokens, scales. Within it every number is held exactly. */
export const MAX_COUNT = 2 ** 31 - 1
/** Of a prompt, in code points. */
export const MAX_PROMPT_LENGTH = 2000
