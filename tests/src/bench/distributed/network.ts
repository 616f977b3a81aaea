import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { once } from 'node:events'
import { until } from '../../support/until.ts'

const BRIDGE = 'nextscale0'
const NETWORK = '10.77.0'
/** Address of this process, where clients and receivers are. */
export const HERE = `${NETWORK}.1`
const COMMAND_TIMEOUT_MS = 10_000

const run = (command: string, ...args: string[]): void =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: COMMAND_TIMEOUT_MS })

const namespaceOf = (pid: number | 'self'): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

/** A machine of the network: a network namespace with one address. */
export interface Host {
  readonly name: string
  readonly address: string
  /** The command line that runs a program there. */
  command(program: string, ...args: string[]): readonly [string, ...string[]]
  /** Takes its cable out, and puts it back in. */
  cut(): void
  join(): void
  /** Drops all packets between it and another, and lets them through again. */
  part(other: Host): void
  meet(other: Host): void
}

export interface Network {
  host(name: string, number: number): Promise<Host>
  close(): Promise<void>
}

/** Whether this process is in a network of its own, which nobody else uses. */
export const isApart = (): boolean => {
  try {
    // A network namespace of one's own has nothing but a loopback that is down.
    return execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }).trim().split('\n').length === 1
  } catch {
    return false
  }
}

/** Makes a switch in the network namespace of this process, which must be one of its own. */
export const openNetwork = (): Network => {
  run('ip', 'link', 'set', 'lo', 'up')
  run('ip', 'link', 'add', BRIDGE, 'type', 'bridge')
  run('ip', 'addr', 'add', `${HERE}/24`, 'dev', BRIDGE)
  run('ip', 'link', 'set', BRIDGE, 'up')
  const holders: ChildProcess[] = []

  const host = async (name: string, number: number): Promise<Host> => {
    const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' })
    holders.push(holder)
    const pid = String(holder.pid)
    const apart = async () => ![undefined, namespaceOf('self')].includes(namespaceOf(Number(pid)))
    await until(`${name} has a network`, apart)
    const [port, address] = [`port${number}`, `${NETWORK}.${number}`]
    const inside = (...args: string[]) => run('nsenter', '-t', pid, '-n', ...args)
    run('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid)
    run('ip', 'link', 'set', port, 'master', BRIDGE, 'up')
    inside('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    inside('ip', 'link', 'set', 'eth0', 'up')
    inside('ip', 'link', 'set', 'lo', 'up')
    const filter = (action: '-A' | '-D', other: Host) => {
      inside('iptables', '-w', action, 'INPUT', '-s', other.address, '-j', 'DROP')
      inside('iptables', '-w', action, 'OUTPUT', '-d', other.address, '-j', 'DROP')
    }
    return {
      name,
      address,
      command: (program, ...args) => ['nsenter', '-t', pid, '-n', program, ...args],
      cut: () => run('ip', 'link', 'set', port, 'down'),
      join: () => run('ip', 'link', 'set', port, 'up'),
      part: (other) => filter('-A', other),
      meet: (other) => filter('-D', other)
    }
  }
  return {
    host,
    close: async () => {
      for (const holder of holders) {
        const ended = once(holder, 'exit')
        holder.kill('SIGKILL')
        await ended
      }
    }
  }
}
