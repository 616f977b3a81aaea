// `npm run package`: packs what is public, and nothing else: what is built, the README and the licence. Arguments are those of `npm pack`.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = import.meta.dirname

const run = (command, args, cwd) => {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args[0]} failed${error ? `: ${error.message}` : ''}`)
}

/** What reads the types, for who has it at all. In the workspace's own manifest it would be installed in production. */
const TYPESCRIPT = { peerDependencies: { typescript: '>=5.0' }, peerDependenciesMeta: { typescript: { optional: true } } }

/** The manifest without what is of use in the repository alone. */
const publicManifest = () => {
  const {
    scripts: _scripts,
    devDependencies: _devDependencies,
    ...manifest
  } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
  const { './source': _source, ...exports } = manifest.exports
  return { ...manifest, exports, ...TYPESCRIPT }
}

const folder = mkdtempSync(join(tmpdir(), 'nextscale-pack-'))
try {
  run('tsc', ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], HERE)
  for (const name of ['README.md', 'LICENSE']) copyFileSync(join(HERE, name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(publicManifest(), null, 2)}\n`)
  run('npm', ['pack', '--loglevel=error', '--pack-destination', HERE, ...process.argv.slice(2)], folder)
} finally {
  rmSync(folder, { recursive: true })
}
