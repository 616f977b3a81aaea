import type { Command } from '../cli/command.ts'

/** Verbs of `nextscale models` that only one family has, by their names. */
export const FAMILY_VERBS: Readonly<Record<string, () => Promise<Command>>> = {
  add: async () => (await import('./var/cli/add.ts')).add,
  random: async () => (await import('./var/cli/random.ts')).random,
  bench: async () => (await import('./var/cli/bench.ts')).bench
}
