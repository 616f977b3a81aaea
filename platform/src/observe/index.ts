export type { Log } from './log.ts'
export { loggedError } from './logged-error.ts'
export { loggedText, loggedUrl } from './logged-text.ts'
export { VERSION } from './version.ts'
