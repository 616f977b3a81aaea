import { enableCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { hearStop } from '@nextscale/platform/hear-stop'
import type { Config } from './config.ts'

// Compiled code is kept between starts, which takes a third off them; so the rest is imported after this.
enableCompileCache()
const onStop = hearStop()
const { WRONG_SETTING } = await import('@nextscale/platform/config')
const { openRedisAccess } = await import('@nextscale/platform')
const { readConfig } = await import('./config.ts')
const { configure, fail } = await import('./fail.ts')
const { isErrno } = await import('@nextscale/platform/errno')
const { openLogStream } = await import('@nextscale/platform/log')
const { buildApp } = await import('./build-app.ts')
const { whyNotStart } = await import('./why-not-start.ts')

/** How long closing may take; orchestrators usually kill after 10 or 30 s. */
const CLOSE_DEADLINE_MS = 8000

const listen = async (app: FastifyInstance, { host, port }: Config): Promise<void> => {
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `Listening at ${address}` })
  } catch (error) {
    await app.close()
    if (isErrno(error, 'EADDRINUSE'))
      fail(`Port ${port} of ${host} is taken by another process: end that one, or set PORT to another port.`)
    if (isErrno(error, 'EACCES')) fail(`Port ${port} needs rights this process has not: set PORT to one above 1023.`)
    if (isErrno(error, 'EADDRNOTAVAIL') || isErrno(error, 'ENOTFOUND'))
      fail(`HOST=${host} is not an address of this machine: set HOST to one that is.`)
    throw error
  }
}

const config = await configure(() => openRedisAccess(readConfig()))
const refusal = await whyNotStart(config)
if (refusal !== undefined) fail(refusal, WRONG_SETTING)
const app = await configure(async () => buildApp(config, { logStream: await openLogStream(config) }))

/** Closes the server, once load balancers have had their time to see that it is not ready any more. */
const close = async (delayMs: number, hurry: AbortSignal) => {
  app.announceStop()
  await sleep(delayMs, undefined, { signal: hurry }).catch(() => undefined)
  app.log.info('Closing')
  // The deadline is for a peer that never finishes; an orderly close ends the process long before it.
  const deadline = setTimeout(() => fail(`Closing took longer than ${CLOSE_DEADLINE_MS} ms; giving up.`), CLOSE_DEADLINE_MS)
  try {
    await app.close()
  } catch (error) {
    app.log.error({ err: error }, 'Closing failed')
    process.exit(1)
  }
  clearTimeout(deadline)
  app.log.info('Closed')
}

let hurry: AbortController | undefined
onStop((signal) => {
  // A second signal does not wait for load balancers.
  if (hurry) return hurry.abort()
  hurry = new AbortController()
  app.log.info(`${signal}: stopping`)
  void close(config.shutdownDelayMs, hurry.signal)
})

await listen(app, config)
