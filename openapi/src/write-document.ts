import { writeFile } from 'node:fs/promises'
import { renderDocument } from './document.ts'

await writeFile(new URL('../openapi.json', import.meta.url), await renderDocument())
