import { isIPv4 } from 'node:net'

/** Whether a host name or address means this machine, and nothing else can make it mean another. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
