import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenModel } from '../model/open-model.ts'
import type { LineCommand } from './line-process.ts'
import type { EngineTask, ProbeTask } from './replies.ts'

const TRAINING = fileURLToPath(new URL('../../../../training', import.meta.url))
const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Something whose rounds are measured. */
export interface Contestant {
  /** nextscale or PyTorch */
  engine: string
  precision: string
  batch: number
  command: LineCommand
}

export const nextscale = (task: EngineTask): Contestant => ({
  engine: 'nextscale',
  precision: task.precision,
  batch: task.batch,
  command: { command: process.execPath, args: [beside('engine-process.ts'), JSON.stringify(task)] }
})

export const probe = (task: ProbeTask): LineCommand => ({
  command: process.execPath,
  args: [beside('probe-process.ts'), JSON.stringify(task)]
})

const pythonEnv = (threads: number): NodeJS.ProcessEnv => ({
  PYTHONPATH: TRAINING,
  PYTHONDONTWRITEBYTECODE: '1',
  OMP_NUM_THREADS: String(threads)
})

/** Whether a Python can run the PyTorch models. */
export const hasPyTorch = (python: string): boolean =>
  spawnSync(python, ['-c', 'import nextscale_train.benchmark'], { env: pythonEnv(1) }).status === 0

interface PyTorchTask {
  python: string
  model: OpenModel
  precision: 'fp32' | 'bf16'
  batch: number
  threads: number
}

/** The same weights with the same settings in PyTorch. */
export const pytorch = ({ python, model, precision, batch, threads }: PyTorchTask): Contestant => {
  const { files, scales, defaults } = model.manifest
  const options = {
    '--vae': join(model.folder, files.tokenizer.path),
    '--var': join(model.folder, files.transformer.path),
    '--batch': batch,
    '--threads': threads,
    '--precision': precision,
    '--cfg': defaults.cfg,
    '--top-k': defaults.top_k,
    '--top-p': defaults.top_p
  }
  const args = ['-m', 'nextscale_train.benchmark', '--interactive', '--scales', ...scales.map(String)]
  args.push(...Object.entries(options).flatMap(([option, value]) => [option, String(value)]))
  return { engine: 'PyTorch', precision, batch, command: { command: python, args, env: pythonEnv(threads) } }
}
