/** Owner of what is made without an API key. */
export const OWNER = 'local'
