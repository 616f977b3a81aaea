/**
 * A script's reply, which names each of its values: `{ 'place', place, 'data', data }`. What Lua has as `false` is null, and a
 * value must not be `nil`, which would end the reply.
 */
export const namedReply = <Reply extends object>(reply: unknown): Reply => {
  const values = reply as readonly unknown[]
  const named: Record<string, unknown> = {}
  for (let place = 0; place < values.length; place += 2) named[String(values[place])] = values[place + 1]
  return named as Reply
}
