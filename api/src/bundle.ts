import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build as bundle, type Plugin } from 'esbuild'
import { readDocument } from './routes/service/document.ts'
import { writeZip } from './write-zip.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Packages of CommonJS ask for `require`, `__filename` and `__dirname`, which modules have not. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module'",
  'const require = __createRequire(import.meta.url)',
  'const __filename = import.meta.filename',
  'const __dirname = import.meta.dirname'
].join('\n')

/** What Node brings is named so, and required: an import would load the whole of it, of `node:http` a second HTTP client. */
const BUILTINS: Plugin = {
  name: 'builtins',
  setup: (build) => {
    const named = new RegExp(`^(node:)?(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`)
    build.onResolve({ filter: named }, ({ path, namespace }) => {
      const name = path.replace(/^(node:)?/, 'node:')
      return namespace === 'builtin' ? { path: name, external: true } : { path: name, namespace: 'builtin' }
    })
    build.onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({ contents: `module.exports = require('${path}')` }))
  }
}

/** Parts of packages that are not used here: Fastify's compilers, BullMQ's schedules and other databases, an addon of msgpackr. */
const UNUSED: Plugin = {
  name: 'unused',
  setup: (build) => {
    const packages = /^(@fastify\/(ajv|fast-json-stringify)-compiler|cron-parser|pg|@valkey\/valkey-glide|msgpackr-extract)$/
    const files = /\/(postgres|valkey-glide-client|bun-redis-client)(\/index)?$/
    for (const filter of [packages, files]) build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'unused' }))
    build.onLoad({ filter: /^/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}' }))
  }
}

// Writes dist/lambda.mjs: the Lambda handler with everything it needs, as one file that may lie anywhere.
const { metafile } = await bundle({
  metafile: true,
  entryPoints: [here('lambda.ts')],
  outfile: here('../dist/lambda.mjs'),
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  banner: { js: BANNER },
  define: { OPENAPI_DOCUMENT: JSON.stringify(JSON.stringify(JSON.parse(await readDocument()))) },
  plugins: [BUILTINS, UNUSED],
  logLevel: 'warning'
})

const foreign = Object.values(metafile.outputs).flatMap(({ imports }) =>
  imports.flatMap(({ path }) => (path.startsWith('node:') ? [] : path))
)
if (foreign.length > 0)
  throw new Error(`lambda.mjs would look for ${foreign.join(', ')} beside itself: bundle it, or name it as unused`)

// Beside it the same as lambda.zip, which is what AWS takes.
await writeZip(here('../dist/lambda.zip'), { name: 'lambda.mjs', data: await readFile(here('../dist/lambda.mjs')) })
