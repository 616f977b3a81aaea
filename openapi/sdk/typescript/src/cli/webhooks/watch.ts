import { sleep } from '../../transport/sleep.ts'
import type { Context } from '../command.ts'
import { FAILED } from '../explain.ts'
import { describeDelivery } from './describe.ts'

const POLL_MS = 300
/** More than an attempt may take; deliveries may also wait for a control process, or for others to the same host. */
const PATIENCE_MS = 30_000

/** Shows a delivery once there is an attempt more than was known, or after half a minute as it is then. */
export const watchDelivery = async (
  { client, out, signal }: Context,
  { id, known, json }: { id: string; known: number; json: boolean }
): Promise<void> => {
  const until = performance.now() + PATIENCE_MS
  let delivery = await client.webhooks.delivery(id, { signal })
  while (delivery.attempts.length <= known && performance.now() < until) {
    await sleep(POLL_MS, signal)
    delivery = await client.webhooks.delivery(id, { signal })
  }
  if (json) out.sayJson(delivery)
  else out.say(describeDelivery(delivery))
  if (delivery.attempts.length <= known) out.note('It was not tried yet: does the control process run?')
  const last = delivery.attempts.at(-1)
  if (last?.response) out.quote(last.response)
  if (delivery.attempts.length <= known || last?.outcome !== 'delivered') process.exitCode = FAILED
}
