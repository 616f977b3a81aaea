import { once } from 'node:events'
import { openRedisAccess } from '@nextscale/platform'
import { hearStop } from '@nextscale/platform/hear-stop'
import { configure, fail } from '../fail.ts'
import { openLog } from '@nextscale/platform/log'
import { readControlConfig } from './config.ts'
import { type Control, startControl } from './control.ts'

/** What stopping may take beyond a webhook request, which has its own deadline. */
const STOP_MS = 8000

const onStop = hearStop()
const config = await configure(() => openRedisAccess(readControlConfig()))
const log = await openLog(config)

const told = new AbortController()
onStop((signal) => {
  if (!told.signal.aborted) log.info(`${signal}: stopping`)
  told.abort()
})

const stop = async (control: Control): Promise<void> => {
  const deadlineMs = config.webhooks.timeoutMs + STOP_MS
  const deadline = setTimeout(() => fail(`Stopping took longer than ${deadlineMs} ms; giving up.`), deadlineMs)
  const end = await control.stop()
  clearTimeout(deadline)
  if (end === 'stopped') return log.info('stopped')
  log.warn('Redis is away, so what was under way could not be recorded: webhooks whose request had begun are sent again')
  process.exit(1)
}

const control = await configure(() => startControl(config, log, told.signal))
if (control) {
  log.info('control ready')
  if (!told.signal.aborted) await once(told.signal, 'abort')
  await stop(control)
} else log.info('stopped')
