import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { printError } from '@nextscale/platform/terminal'
import { aptInstall } from './apt.ts'

/** What the suites of `infra` run, and the package of Debian that has it. */
const TOOLS: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  podman: 'podman',
  runc: 'runc',
  // Only recommended by the packages above: networks of containers, and the names of containers in them.
  netavark: 'netavark',
  'aardvark-dns': 'aardvark-dns',
  mmdebstrap: 'mmdebstrap',
  'redis-server': 'redis-server',
  nginx: 'nginx-light',
  ip: 'iproute2',
  iptables: 'iptables',
  git: 'git'
}

const isThere = (program: string): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/lib/podman'].some((folder) =>
    existsSync(join(folder, program))
  )

/** Installs what is missing where root may. Suites whose tools are missing all the same skip themselves, with the reason. */
export const installInfraTools = (): void => {
  const missing = Object.entries(TOOLS).filter(([program]) => !isThere(program))
  for (const [program, name] of missing) {
    const installation = aptInstall(name, `${program} is missing`)
    if (!installation.ok) printError(`${program} is missing, and ${name} could not be installed (${installation.reason}).`)
  }
}
