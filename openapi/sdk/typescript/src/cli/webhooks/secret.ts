import { type Command, COMMON_USAGE, parse } from '../command.ts'

const usage = `nextscale webhooks secret [--rotate]
  Shows the secret that signs your webhooks; --rotate replaces it, and for a day both sign.
${COMMON_USAGE}`

export const secret: Command = {
  usage,
  run: async (args, open) => {
    const { values } = parse(args, { rotate: { type: 'boolean' } }, { usage, positionals: [0, 0] })
    const { client, out, signal } = open(values)
    const found = values.rotate ? await client.webhooks.rotateSecret({ signal }) : await client.webhooks.secret({ signal })
    if (values.json) out.sayJson(found)
    else out.say(found.secret)
    if (found.previous_expires_at !== null) out.note(`The one before it signs as well until ${found.previous_expires_at}.`)
  }
}
