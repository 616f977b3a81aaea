import { at, listAt, ofType, type Resource, textAt, textsAt, type Value } from './resources.ts'

/** A container as ECS is told of it. */
export interface Container {
  address: string
  /** Whether it runs on Fargate, which has no tmpfs. */
  isFargate: boolean
  volumes: string[]
  values: Value
  env: Record<string, string>
  command: string[]
}

const envOf = (container: Value): Record<string, string> =>
  Object.fromEntries(listAt(container, 'environment').map((each) => [textAt(each, 'name') ?? '', textAt(each, 'value') ?? '']))

/** Containers of all task definitions whose text is known. */
export const containersOf = (resources: readonly Resource[]): Container[] =>
  ofType(resources, 'aws_ecs_task_definition').flatMap(({ address, values }) => {
    const text = textAt(values, 'container_definitions')
    if (text === undefined) return []
    const volumes = listAt(values, 'volume').map((volume) => textAt(volume, 'name') ?? '')
    const isFargate = listAt(values, 'requires_compatibilities').includes('FARGATE')
    return (JSON.parse(text) as Value[]).map((container) => ({
      address,
      isFargate,
      volumes,
      values: container,
      env: envOf(container),
      command: textsAt(container, 'command')
    }))
  })

const isSet = (values: Value, path: string): boolean => (at(values, path) ?? null) !== null

const placesOf = ({ values, volumes }: Container): string[] => [
  ...listAt(values, 'mountPoints').flatMap((mount) =>
    volumes.includes(textAt(mount, 'sourceVolume') ?? '') && at(mount, 'readOnly') !== true
      ? (textAt(mount, 'containerPath') ?? [])
      : []
  ),
  ...listAt(values, 'linuxParameters.tmpfs').flatMap((mount) => textAt(mount, 'containerPath') ?? [])
]

/** Folders that the image leaves to be written; what is kept elsewhere than in `/tmp` is named by a variable. */
const IMAGE_WRITES = ['/tmp', '/cache', '/data']
const LONGEST_STOP_SECONDS = 120
const HEALTH = 'CMD node /app/infra/images/healthcheck.mjs'

/** What does not fit the images: their entrypoint takes the name of a process, and their user is numeric and not root. */
export const misfits = (container: Container): string[] => {
  const { values, env, command, isFargate } = container
  const places = placesOf(container)
  const folders = Object.values(env).filter((value) => /^\/(tmp|cache|data)\//.test(value))
  const wrong: [boolean, string][] = [
    [command.length !== 1, 'its command is not the name of one process'],
    [isSet(values, 'entryPoint') || isSet(values, 'workingDirectory'), 'it overrides the entrypoint of the image'],
    [isSet(values, 'user'), 'it overrides the user of the image'],
    [at(values, 'privileged') === true, 'it is privileged'],
    [at(values, 'readonlyRootFilesystem') !== true, 'its root can be written'],
    [!listAt(values, 'linuxParameters.capabilities.drop').includes('ALL'), 'it keeps capabilities'],
    [!places.includes('/tmp'), 'it has no /tmp'],
    [places.some((place) => !IMAGE_WRITES.includes(place)), 'it mounts what the image has not'],
    [
      folders.some((folder) => !places.some((place) => folder.startsWith(`${place}/`))),
      'a folder of its settings is not mounted'
    ],
    [isFargate && listAt(values, 'linuxParameters.tmpfs').length > 0, 'Fargate has no tmpfs'],
    [!(Number(at(values, 'stopTimeout')) <= LONGEST_STOP_SECONDS), 'it stops for longer than ECS or Spot wait'],
    [textsAt(values, 'healthCheck.command').join(' ') !== HEALTH, 'its health is not asked for'],
    [
      Object.keys(env).some((name) => /PASSWORD|_URL$|SIGNING_KEYS$|LINK_SECRET$/.test(name) && name !== 'PUBLIC_URL'),
      'a secret is in its settings'
    ]
  ]
  return wrong.flatMap(([isWrong, what]) => (isWrong ? `${container.address}: ${what}` : []))
}
