import packageJson from '../../package.json' with { type: 'json' }

/** The release this is. */
export const { version: VERSION } = packageJson
