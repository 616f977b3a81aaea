import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildah, demand, podman, ROOT, STORE, tryPodman } from './podman.ts'

const SUITE = 'bookworm'
const BASE = `localhost/nextscale-test-base:${SUITE}`
const BASE_DEADLINE_MS = 5 * 60_000
const BUILD_DEADLINE_MS = 8 * 60_000
/** Whom this machine trusts, which may include a proxy that it goes through. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
const DOCKERFILE = join(ROOT, 'infra', 'images', 'Dockerfile')

export const REVISION = 'test-revision'

const exists = async (image: string) => (await tryPodman(['image', 'exists', image])).code === 0

/** The mirror that this machine's own packages come from. */
const readMirror = async (): Promise<string> => {
  const targets = await demand('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)']).catch(() => '')
  const found = targets.split('\n').find((line) => line.endsWith(` ${SUITE}`))
  return found?.split(' ')[0] ?? 'http://deb.debian.org/debian'
}

/** Makes an image from a Dockerfile in a folder of its own. */
const buildFrom = async (image: string, folder: string, dockerfile: string): Promise<void> => {
  await writeFile(join(folder, 'Dockerfile'), dockerfile)
  await buildah(['bud', '--isolation', 'chroot', '--quiet', '--format', 'docker', '-t', image, folder], BASE_DEADLINE_MS)
}

const inFolder = async (work: (folder: string) => Promise<void>) => {
  await mkdir(STORE, { recursive: true })
  const folder = await mkdtemp(join(STORE, 'build-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A Debian like that of the pinned base, made from packages: there may be no registry of images. */
const makeBase = async (): Promise<void> => {
  if (await exists(BASE)) return
  await inFolder(async (folder) => {
    const unneeded = ['man', 'doc', 'locale', 'info'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
    const options = ['--variant=minbase', '--dpkgopt=force-unsafe-io', ...unneeded, '--aptopt=Acquire::Check-Valid-Until "false"']
    await demand('mmdebstrap', [...options, SUITE, join(folder, 'base.tar'), await readMirror()], BASE_DEADLINE_MS)
    await buildFrom(BASE, folder, 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n')
  })
}

const npmConfig = async (name: string): Promise<string> => demand('npm', ['config', 'get', name])

/** How npm packages are reached from here, which the build is told and the repository is not. */
const registryArgs = async (): Promise<string[]> => {
  const [registry, userconfig] = await Promise.all(['registry', 'userconfig'].map(npmConfig))
  const secret = (id: string, path: string | undefined) =>
    path !== undefined && existsSync(path) ? ['--secret', `id=${id},src=${path}`] : []
  const index = registry?.startsWith('http') === true ? ['--build-arg', `NPM_REGISTRY=${registry}`] : []
  return [...index, ...secret('npmrc', userconfig), ...secret('ca', AUTHORITIES)]
}

/** Builds a target of infra/images/Dockerfile on a base of its own; layers that are there are taken again. */
export const buildImage = async (target: string, { timeoutMs = BUILD_DEADLINE_MS, args = [] as readonly string[] } = {}) => {
  await makeBase()
  const image = `localhost/${target}:test`
  const own = ['--build-arg', `BASE=${BASE}`, '--build-arg', `REVISION=${REVISION}`, '--target', target, '-t', image]
  const options = ['--isolation', 'chroot', '--layers', '--quiet', '--format', 'docker', ...(await registryArgs()), ...args]
  await buildah(['bud', ...options, ...own, '-f', DOCKERFILE, ROOT], timeoutMs)
  return image
}

/** An image with Debian's packages on the same base, under the name that a file asks for. */
export const buildPackages = async (image: string, packages: string, more = ''): Promise<void> => {
  await makeBase()
  if (await exists(image)) return
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages} && rm -rf /var/lib/apt/lists/*`
  await inFolder((folder) => buildFrom(image, folder, `FROM ${BASE}\nRUN ${install}\n${more}`))
}

/** What an image says of itself. */
export const inspectImage = async (image: string): Promise<unknown> =>
  (JSON.parse(await podman(['image', 'inspect', image])) as unknown[])[0]
