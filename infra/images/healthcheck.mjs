// Asks the container's process for /healthz, whether it lives, or /readyz, whether it can work.
import { readFileSync } from 'node:fs'

/** Below the timeout of the image's health check. */
const TIMEOUT_MS = 4000
// oxlint-disable-next-line node/no-process-env -- a program of its own, which imports nothing
const { PORT = '8080', HOST = '', METRICS_PORT = '9400', METRICS_HOST = '' } = process.env
const [probe = 'healthz'] = process.argv.slice(2)

/** What start.mjs was told to run; an init may stand before it. */
const words = readFileSync('/proc/1/cmdline', 'utf8').split('\0')
const name = words[words.findIndex((word) => word.endsWith('/infra/images/start.mjs')) + 1]

const local = (host) => (['', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host)
const at = (host, port) => `http://${host.includes(':') ? `[${host}]` : host}:${port}/${probe}`
const url = name === 'api' ? at(local(HOST), PORT) : at(local(METRICS_HOST), METRICS_PORT)

// A command that runs once serves nothing: it lives as long as it is there.
if (name !== 'nextscale') {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (status !== 200) throw new Error(`status ${status}`)
  } catch (error) {
    console.error(`${url} does not answer: ${error.cause?.message ?? error.message}`)
    process.exitCode = 1
  }
}
