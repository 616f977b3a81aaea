// First process of the image: `api`, `control`, `runner`, or `nextscale` and the words of that command.
const STARTS = {
  api: '../../api/src/start.ts',
  control: '../../api/src/control/start.ts',
  runner: '../../gpu-runner/src/start.ts',
  nextscale: '../../scripts/nextscale.mjs'
}

const [name = '', ...args] = process.argv.slice(2)
if (Object.hasOwn(STARTS, name) && (name === 'nextscale' || args.length === 0)) {
  process.argv.splice(2, Infinity, ...args)
  await import(STARTS[name])
} else {
  console.error(`This image runs one of: ${Object.keys(STARTS).join(', ')}; nextscale alone takes further words.`)
  process.exitCode = 2
}
