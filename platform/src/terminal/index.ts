export { plainLog } from './plain-log.ts'
export { plainLine, plainText } from './plain-text.ts'
export { endWithReader, print, printError } from './print.ts'
