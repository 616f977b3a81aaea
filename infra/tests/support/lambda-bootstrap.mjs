// Stands in for the bootstrap of Lambda's runtime: loads the handler, asks the Runtime API for events, and posts what comes of them.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , api, root, name] = process.argv
const base = `http://${api}/2018-06-01/runtime`

/** Only what Node brings, and files of the folder, can be had here: everything else is told. */
const foreign = []
registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context)
    if (!found.url.startsWith('node:') && !found.url.startsWith(pathToFileURL(root).href)) foreign.push(found.url)
    return found
  }
})

/** How long the process could have run while others had the CPUs, where the system counts it. */
const heldUpMs = () => {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

const begun = process.cpuUsage()
const [file, method] = name.split('.')
const module = await import(pathToFileURL(join(root, `${file}.mjs`)).href)
const { user, system } = process.cpuUsage(begun)
await fetch(`${base}/init/loaded`, { method: 'POST', body: JSON.stringify({ cpuMs: (user + system) / 1000 }) })

for (;;) {
  const next = await fetch(`${base}/invocation/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const event = await next.json()
  const answer = await module[method](event, { awsRequestId: id }).catch((error) => ({ error: String(error) }))
  await fetch(`${base}/invocation/${id}/response`, {
    method: 'POST',
    body: JSON.stringify({ answer, foreign, heldUpMs: heldUpMs() })
  })
}
