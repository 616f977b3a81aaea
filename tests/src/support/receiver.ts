import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from './process.ts'
import { pythonWith } from './python-env.ts'
import { until } from './until.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SDK_PYTHON = here('../../../openapi/sdk/python')

export const RECEIVER_FILES = { typescript: here('../receivers/receiver.ts'), python: here('../receivers/receiver.py') } as const
export type ReceiverLanguage = keyof typeof RECEIVER_FILES

/** Program, its arguments and environment. */
const commandOf = async (language: ReceiverLanguage): Promise<[string, string[], NodeJS.ProcessEnv]> => {
  const file = RECEIVER_FILES[language]
  if (language === 'typescript') return [process.execPath, [file], {}]
  const python = await pythonWith(join(SDK_PYTHON, 'requirements.txt'))
  return [python, ['-B', file], { PYTHONPATH: join(SDK_PYTHON, 'src') }]
}

/** One of the receivers of `docs/webhooks.md`, as a process. */
export interface Receiver {
  url: string
  /** Where it saves pictures. */
  folder: string
  /** All it has printed so far, before restarts as well. */
  output(): string
  printed(text: string): Promise<void>
  /** Ends it and starts another over the same folder, at another port. */
  restart(signal: NodeJS.Signals, secrets?: readonly string[]): Promise<void>
  close(): Promise<void>
}

export interface ReceiverOptions {
  secrets: readonly string[]
  /** Where it reads generations whose links have run out. */
  nextscaleUrl: string
  apiKey?: string
}

export const startReceiver = async (language: ReceiverLanguage, options: ReceiverOptions): Promise<Receiver> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-receiver-'))
  const [command, args, env] = await commandOf(language)
  let before = ''
  let started: TestProcess
  const listening = () => /^listening at (http:\S+)$/m.exec(started.output())?.[1]
  const start = (secrets: readonly string[]) => {
    started = startProcess(command, args, {
      ...env,
      PORT: '0',
      PICTURES: folder,
      WEBHOOK_SECRETS: secrets.join(','),
      NEXTSCALE_URL: options.nextscaleUrl,
      ...(options.apiKey !== undefined && { NEXTSCALE_API_KEY: options.apiKey })
    })
    return until('the receiver listens', async () => {
      if (!started.isRunning()) throw new Error(`the receiver ended:\n${started.output()}`)
      return listening()
    })
  }
  const receiver: Receiver = {
    url: await start(options.secrets),
    folder,
    output: () => before + started.output(),
    printed: async (text) =>
      void (await until(`the receiver prints "${text}" after:\n${receiver.output()}`, async () =>
        receiver.output().includes(text)
      )),
    restart: async (signal, secrets = options.secrets) => {
      await started.end(signal)
      before += started.output()
      receiver.url = await start(secrets)
    },
    close: async () => {
      await started.end()
      await rm(folder, { recursive: true })
    }
  }
  return receiver
}
