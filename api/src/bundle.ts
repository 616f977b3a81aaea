import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { readDocument } from './routes/service/document.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Packages of CommonJS ask for `require` and `__dirname`, which modules have not. */
const BANNER = [
  "import { createRequire as makeRequire } from 'node:module'",
  "import { dirname as parentOf } from 'node:path'",
  "import { fileURLToPath as toPath } from 'node:url'",
  'const require = makeRequire(import.meta.url)',
  'const __filename = toPath(import.meta.url)',
  'const __dirname = parentOf(__filename)'
].join('\n')

// Writes dist/lambda.mjs: the Lambda handler with everything it needs, as one file.
await build({
  entryPoints: [here('lambda.ts')],
  outfile: here('../dist/lambda.mjs'),
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  banner: { js: BANNER },
  define: { OPENAPI_DOCUMENT: JSON.stringify(await readDocument()) },
  external: ['@opentelemetry/*', '@scalar/fastify-api-reference', 'pino-pretty', 'msgpackr-extract'],
  logLevel: 'warning'
})
