import { createServer } from 'node:net'
import { DEFAULT_PORT } from './config.ts'
import { StartError } from './start-error.ts'

const ATTEMPTS = 100

/** Binds a port for a moment; resolves to the one bound, or to nothing when it is taken. */
const tryPort = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') return resolve(undefined)
      if (error.code === 'EACCES') return reject(new StartError(`Port ${port} needs privileges; set PORT to one above 1023.`))
      reject(new StartError(`Cannot listen on ${host}, port ${port}: ${error.message}.`))
    })
    server.listen({ port, host }, () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined))
    })
  })

/** Whether nothing listens there, neither on the address itself nor, for a wildcard, on loopback alone. */
const isFree = async (port: number, host: string): Promise<boolean> =>
  (await tryPort(port, host)) !== undefined && (await tryPort(port, '127.0.0.1')) !== undefined

/** Any free port of loopback. */
export const freeLoopbackPort = async (): Promise<number> => {
  const port = await tryPort(0, '127.0.0.1')
  if (port === undefined) throw new StartError('No free port was found on 127.0.0.1.')
  return port
}

/** The port asked for, or else the first free one from `preferred` on. */
export const choosePort = async (asked: number | undefined, host: string, preferred = DEFAULT_PORT): Promise<number> => {
  if (asked !== undefined) {
    if (await isFree(asked, host)) return asked
    throw new StartError(`Port ${asked} is in use. Set PORT to a free one, or leave it unset to have one chosen.`)
  }
  for (let port = preferred; port < preferred + ATTEMPTS; port++) if (await isFree(port, host)) return port
  throw new StartError(`Ports ${preferred} to ${preferred + ATTEMPTS - 1} are all in use. Set PORT to a free one.`)
}
