import { createInterface } from 'node:readline'

const say = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`)

/** The other side of `LineProcess`: says what it is ready with, answers every line of input, and returns when the input ends. */
export const answerLines = async (ready: object, answer: (request: string) => Promise<object>): Promise<void> => {
  say(ready)
  for await (const request of createInterface({ input: process.stdin })) say(await answer(request))
}
