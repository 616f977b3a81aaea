/** Owner of every generation as long as there are no API keys. */
export const OWNER = 'local'
