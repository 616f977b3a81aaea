import type { ServiceStatus } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale status
  Shows the capacity of the server: queue, runners, speed of each model.
${COMMON_USAGE}`

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

const describeQueue = ({ waiting, running, oldest_wait_ms: oldest }: ServiceStatus['queue']): string =>
  `queue    ${waiting} waiting, ${running} running${oldest === null ? '' : `; the next one has waited ${seconds(oldest)}`}`

const describeModel = ({ id, runners, latency_ms: latency, images_per_second: rate }: ServiceStatus['models'][number]): string =>
  [
    `model    ${id}`,
    counted(runners, 'runner'),
    ...(latency === null ? [] : [`${seconds(latency)} for a generation`]),
    ...(rate === null ? [] : [`${rate.toFixed(1)} images/s`])
  ].join(', ')

export const status: Command = {
  usage,
  run: async (args, open) => {
    const { values } = parse(args, {}, { usage, positionals: [0, 0] })
    const { client, out, signal } = open(values)
    const found = await client.status({ signal })
    if (values.json) return out.sayJson(found)
    out.say(`server   ${found.version}, ${found.accepting ? 'takes requests' : 'takes no requests now'}`)
    out.say(describeQueue(found.queue))
    out.say(`runners  ${found.runners}`)
    for (const model of found.models) out.say(describeModel(model))
    for (const { model, revision, waiting } of found.unserved)
      out.say(`unserved ${model} at revision ${revision}: ${waiting} waiting for a runner that has it`)
  }
}
