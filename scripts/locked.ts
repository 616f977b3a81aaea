/** Folders that have a package-lock.json, seen from the root. */
export const LOCKED = ['', 'openapi/sdk/typescript/generator', 'openapi/sdk/typescript/checks', 'tests/generators'] as const
