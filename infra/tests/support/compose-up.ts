import { resolve } from 'node:path'
import { until } from '@nextscale/platform/testing'
import { podman, tryPodman } from './podman.ts'
import { COMPOSE, dependenciesOf, orderServices, type Service, type Services } from './read-compose.ts'
import { type Container, startContainer } from './start-container.ts'

const HEALTHY_DEADLINE_MS = 60_000

export interface Stack {
  readonly order: readonly string[]
  service: (name: string) => Container
  /** Waits until a service's health check, as the file has it, succeeds. */
  healthy: (name: string) => Promise<void>
  close: () => Promise<void>
}

const volumeOf = (project: string) => (volume: string) => {
  const [source = '', ...rest] = volume.split(':')
  return [source.startsWith('.') ? resolve(COMPOSE, source) : `${project}-${source}`, ...rest].join(':')
}

/** What podman is told of a service; health checks are run by `healthy`. */
const optionsOf = (name: string, service: Service): string[] => [
  '--network-alias',
  name,
  ...(service.read_only === true ? ['--read-only', '--read-only-tmpfs=false'] : []),
  ...(service.user === undefined ? [] : ['--user', service.user]),
  ...(service.tmpfs ?? []).flatMap((path) => ['--tmpfs', path]),
  ...(service.cap_drop ?? []).flatMap((right) => ['--cap-drop', right]),
  ...(service.security_opt ?? []).flatMap((option) => ['--security-opt', option.replace(/:true$/, '')]),
  ...(service.ports ?? []).flatMap((port) => ['--publish', port])
]

/** Starts the services of compose.yaml in its order and under its conditions. */
export const composeUp = async (services: Services, project: string, profiles: readonly string[] = []): Promise<Stack> => {
  const order = orderServices(services, profiles)
  const containers = new Map<string, Container>()
  const service = (name: string): Container => {
    const container = containers.get(name)
    if (container === undefined) throw new Error(`${name} was not started`)
    return container
  }
  const healthy = async (name: string) => {
    const [kind, ...words] = services[name]?.healthcheck?.test ?? []
    if (kind !== 'CMD') throw new Error(`${name} has no health check`)
    const isHealthy = async () => (await service(name).exec(...words)).code === 0
    await until(`health of ${name}`, isHealthy, { deadlineMs: HEALTHY_DEADLINE_MS, againMs: 200 }).catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}: ${(await service(name).logs()).slice(-3000)}`)
      }
    )
  }
  const completed = async (name: string) => {
    const code = await service(name).wait()
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${await service(name).logs()}`)
  }
  const close = async () => {
    for (const container of containers.values()) await container.remove()
    const left = (await podman(['volume', 'ls', '--quiet'])).split('\n').filter((name) => name.startsWith(`${project}-`))
    if (left.length > 0) await tryPodman(['volume', 'rm', '--force', ...left])
    await tryPodman(['network', 'rm', '--force', project])
  }
  const start = async (name: string, own: Service) => {
    for (const [dependency, condition] of dependenciesOf(own)) {
      if (condition === 'service_healthy') await healthy(dependency)
      if (condition === 'service_completed_successfully') await completed(dependency)
    }
    const { image, command = [], environment = {}, volumes = [] } = own
    const given = { image, command, env: environment, volumes: volumes.map(volumeOf(project)), network: project }
    containers.set(name, await startContainer({ ...given, options: optionsOf(name, own), isHardened: false }))
  }
  try {
    await podman(['network', 'create', project])
    for (const name of order) {
      const own = services[name]
      if (own !== undefined) await start(name, own)
    }
    return { order, service, healthy, close }
  } catch (error) {
    await close()
    throw error
  }
}
