import { EXAMPLE_ID } from '../examples/generation.ts'
import { delivery } from '../examples/webhook.ts'
import type { Operation } from '../operation.ts'

interface CodeSample {
  lang: 'curl' | 'TypeScript' | 'Python'
  label: string
  source: string
}

/** Where samples find the server; whoever shows them puts its own address there. */
export const SAMPLE_BASE = 'http://localhost:8080'
const MODEL = 'emoji-32'
const TYPESCRIPT = `import { Nextscale } from '@nextscale/sdk'

const nextscale = new Nextscale({
  baseUrl: '${SAMPLE_BASE}',
  apiKey: process.env.NEXTSCALE_API_KEY
})
`
const PYTHON = `import os
from nextscale import Nextscale

nextscale = Nextscale("${SAMPLE_BASE}", os.environ["NEXTSCALE_API_KEY"])
`

/** What the SDKs make of an operation, where they have a method for it. */
const SDK_CALLS: Readonly<Record<string, { typescript: string; python: string }>> = {
  createGeneration: {
    typescript: `const generation = await nextscale.generateAndWait({
  class_name: 'fox',
  seed: 7
})
for (const { url } of generation.outputs) console.log(url)

// Without waiting; get, wait and events take the id.
const accepted = await nextscale.generate({
  class_name: 'fox',
  num_images: 8
})
console.log(accepted.id, accepted.status)`,
    python: `generation = nextscale.generate_and_wait(
    class_name="fox", seed=7
)
for output in generation.outputs:
    print(output.url)

# Without waiting; get, wait and events take the id.
accepted = nextscale.generate(
    class_name="fox", num_images=8
)
print(accepted.id, accepted.status)`
  },
  getGeneration: {
    typescript: `const generation = await nextscale.get('${EXAMPLE_ID}')
const succeeded = await nextscale.wait('${EXAMPLE_ID}', { timeoutMs: 60_000 })`,
    python: `generation = nextscale.get("${EXAMPLE_ID}")
succeeded = nextscale.wait("${EXAMPLE_ID}", timeout=60)`
  },
  getGenerationEvents: {
    typescript: `for await (const { event, data } of nextscale.events('${EXAMPLE_ID}')) console.log(event, data)`,
    python: `for event in nextscale.events("${EXAMPLE_ID}"):
    print(event.event, event.data)`
  },
  listGenerations: {
    typescript: `for await (const { id, status } of nextscale.list({ status: 'failed' })) console.log(id, status)`,
    python: `for generation in nextscale.list(status="failed"):
    print(generation.id, generation.status)`
  },
  continueGeneration: {
    typescript: `const whole = await nextscale.continue('${EXAMPLE_ID}')
const variation = await nextscale.continue('${EXAMPLE_ID}', { keep_scales: 4, seed: 8 })`,
    python: `whole = nextscale.continue_("${EXAMPLE_ID}")
variation = nextscale.continue_("${EXAMPLE_ID}", keep_scales=4, seed=8)`
  },
  cancelGeneration: {
    typescript: `await nextscale.cancel('${EXAMPLE_ID}')`,
    python: `nextscale.cancel("${EXAMPLE_ID}")`
  },
  deleteGeneration: {
    typescript: `await nextscale.delete('${EXAMPLE_ID}')`,
    python: `nextscale.delete("${EXAMPLE_ID}")`
  },
  listModels: {
    typescript: `for (const { id, defaults } of await nextscale.models.list()) console.log(id, defaults)`,
    python: `for model in nextscale.models():
    print(model.id, model.defaults)`
  },
  getModel: {
    typescript: `const model = await nextscale.models.get('${MODEL}')`,
    python: `model = nextscale.model("${MODEL}")`
  },
  listModelClasses: {
    typescript: `for (const { label, name } of await nextscale.models.classes('${MODEL}', 'cat')) console.log(label, name)`,
    python: `for each in nextscale.classes("${MODEL}", "cat"):
    print(each.label, each.name)`
  },
  listWebhookDeliveries: {
    typescript: `for await (const { id, url, attempts } of nextscale.webhooks.deliveries({ status: 'failed' })) {
  console.log(id, url, attempts.at(-1)?.status_code)
}`,
    python: `for delivery in nextscale.webhook_deliveries(status="failed"):
    print(delivery.id, delivery.url, len(delivery.attempts))`
  },
  getWebhookDelivery: {
    typescript: `const { status, attempts } = await nextscale.webhooks.delivery('${delivery.id}')`,
    python: `delivery = nextscale.webhook_delivery("${delivery.id}")
print(delivery.status, delivery.attempts)`
  },
  redeliverWebhook: {
    typescript: `await nextscale.webhooks.redeliver('${delivery.id}')`,
    python: `nextscale.redeliver_webhook("${delivery.id}")`
  },
  testWebhook: {
    typescript: `const { id } = await nextscale.webhooks.test('${delivery.url}')
// A moment later.
const { attempts } = await nextscale.webhooks.delivery(id)`,
    python: `delivery = nextscale.test_webhook("${delivery.url}")
# A moment later.
attempts = nextscale.webhook_delivery(delivery.id).attempts`
  },
  getWebhookSecret: {
    typescript: `const { secret } = await nextscale.webhooks.secret()`,
    python: `secret = nextscale.webhook_secret().secret`
  },
  rotateWebhookSecret: {
    typescript: `const { secret, previous_expires_at } = await nextscale.webhooks.rotateSecret()`,
    python: `rotated = nextscale.rotate_webhook_secret()
print(rotated.previous_expires_at)`
  },
  getWebhookKeys: {
    typescript: `const keys = await nextscale.webhooks.keys() // For verifyWebhook.`,
    python: `keys = nextscale.webhook_keys()  # For verify_webhook.`
  },
  getObject: {
    typescript: `const { outputs } = await nextscale.get('${EXAMPLE_ID}')
const pictures = await Promise.all(outputs.map((output) => nextscale.download(output)))`,
    python: `generation = nextscale.get("${EXAMPLE_ID}")
pictures = [nextscale.download(output) for output in generation.outputs]`
  },
  getStatus: {
    typescript: `const { queue, runners } = await nextscale.status()`,
    python: `status = nextscale.status()
print(status.queue.waiting, status.runners)`
  }
}

/** Ids of what a path leads to, by its tag. */
const IDS: Readonly<Record<string, string>> = { models: MODEL, webhooks: delivery.id }

const pathOf = ({ path, tag }: Operation) => path.replace('{id}', IDS[tag] ?? EXAMPLE_ID).replace('{file}', '0.png')

const curlOf = (operation: Operation, body: unknown): string => {
  const { method, scope, operationId } = operation
  const query = operationId === 'getObject' ? '?expires=1767272400&signature=2Jq0mVtqkY0b1l8n' : ''
  const words = [
    `curl ${operationId === 'getGenerationEvents' ? '-N ' : ''}${method === 'GET' ? '' : `-X ${method} `}'${SAMPLE_BASE}/v1${pathOf(operation)}${query}'`
  ]
  if (scope !== null) words.push(`-H "Authorization: Bearer $NEXTSCALE_API_KEY"`)
  if (body !== undefined) words.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`)
  return words.join(' \\\n  ')
}

/** How to call an operation: with curl always, with the SDKs where they have a method for it. */
export const codeSamplesOf = (operation: Operation, body: unknown): CodeSample[] => {
  const sdk = SDK_CALLS[operation.operationId]
  const samples: CodeSample[] = [{ lang: 'curl', label: 'curl', source: curlOf(operation, body) }]
  if (!sdk) return samples
  return [
    ...samples,
    { lang: 'TypeScript', label: 'TypeScript', source: `${TYPESCRIPT}${sdk.typescript}\n` },
    { lang: 'Python', label: 'Python', source: `${PYTHON}${sdk.python}\n` }
  ]
}
