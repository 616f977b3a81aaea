import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, until } from '@nextscale/platform/testing'
import { readKubernetesPrograms } from './config.ts'

const START_DEADLINE_MS = 90_000
const REQUEST_TIMEOUT_MS = 15_000
const programs = readKubernetesPrograms()
const pathOf = (program: string): string => join(programs ?? '', program)

/** Why suites that need an API server are skipped; false where they need not be. */
export const serverMissing: string | false =
  programs !== undefined && ['etcd', 'kube-apiserver'].every((program) => existsSync(pathOf(program)))
    ? false
    : 'KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver'

interface Answer {
  status: number
  body: unknown
}

/** An API server of Kubernetes with nothing behind it: it checks and keeps objects, and nobody acts on them. */
export interface ApiServer {
  /** How helm gets there. */
  readonly helmArguments: readonly string[]
  ask: (method: string, path: string, body?: unknown) => Promise<Answer>
  stop: () => Promise<void>
}

/** What it takes an API server to sign tokens, and to know who asks. */
const writeCredentials = async (folder: string) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const token = randomBytes(24).toString('hex')
  await writeFile(join(folder, 'key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await writeFile(join(folder, 'public'), publicKey.export({ type: 'spki', format: 'pem' }))
  await writeFile(join(folder, 'tokens'), `${token},admin,admin,system:masters\n`)
  return token
}

const startEtcd = async (folder: string): Promise<{ child: ChildProcess; url: string }> => {
  const [url, peers] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const clients = ['--listen-client-urls', url, '--advertise-client-urls', url]
  const others = ['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `default=${peers}`]
  const args = ['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', ...clients, ...others]
  return { child: spawn(pathOf('etcd'), args, { stdio: 'ignore' }), url }
}

const serverArguments = (folder: string, etcd: string, port: number): string[] => [
  `--etcd-servers=${etcd}`,
  `--secure-port=${port}`,
  '--bind-address=127.0.0.1',
  `--cert-dir=${join(folder, 'certificates')}`,
  `--service-account-signing-key-file=${join(folder, 'key')}`,
  `--service-account-key-file=${join(folder, 'public')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--token-auth-file=${join(folder, 'tokens')}`,
  '--authorization-mode=RBAC',
  '--service-cluster-ip-range=10.96.0.0/24',
  // Nobody makes the account that pods of a namespace have by default.
  '--disable-admission-plugins=ServiceAccount'
]

const createAsk =
  (port: number, token: string, readCa: () => Promise<Buffer>): ApiServer['ask'] =>
  async (method, path, body) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { authorization: `Bearer ${token}`, 'content-type': type }
    const options = { method, path, port, headers, host: '127.0.0.1', ca: await readCa(), timeout: REQUEST_TIMEOUT_MS }
    return new Promise((resolve, reject) => {
      const asked = request(options, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const isJson = response.headers['content-type']?.includes('json') === true
          resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text })
        })
      })
      asked.on('timeout', () => asked.destroy(new Error(`${method} ${path} took too long`)))
      asked.on('error', reject)
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export const startApiServer = async (): Promise<ApiServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-kubernetes-'))
  const token = await writeCredentials(folder)
  const etcd = await startEtcd(folder)
  const port = await freePort()
  const child = spawn(pathOf('kube-apiserver'), serverArguments(folder, etcd.url, port), { stdio: 'ignore' })
  const certificate = join(folder, 'certificates', 'apiserver.crt')
  const ask = createAsk(port, token, () => readFile(certificate))
  const stop = async () => {
    await end(child)
    await end(etcd.child)
    await rm(folder, { recursive: true, force: true })
  }
  const isReady = () =>
    ask('GET', '/readyz').then(
      ({ status }) => status === 200,
      () => false
    )
  try {
    await until('an API server', isReady, { deadlineMs: START_DEADLINE_MS, againMs: 200 })
  } catch (error) {
    await stop()
    throw error
  }
  const helmArguments = ['--kube-apiserver', `https://127.0.0.1:${port}`, '--kube-token', token, '--kube-ca-file', certificate]
  return { helmArguments, ask, stop }
}
