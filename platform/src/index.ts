export { SteadyWorker, type SteadyWorkerOptions } from './queue/steady-worker.ts'
export { scriptOf, WHEN_FULL, workWhenFull } from './redis/when-full.ts'
export { type StallWatch, type StallWatchOptions, watchStalls } from './queue/watch-stalls.ts'
export { aclRules, lackOfCommands } from './redis/require-commands.ts'
