import { copyFile } from 'node:fs/promises'

// Makes the contract of the working tree the one that later changes are compared with: part of a release.
await copyFile(new URL('../openapi.json', import.meta.url), new URL('../published.json', import.meta.url))
