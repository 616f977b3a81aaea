import { pathToFileURL } from 'node:url'

/** Stands in for the Lambda runtime: invokes a bundle's handler with each event its parent sends. */
const [, , bundle = ''] = process.argv
const { handler } = (await import(pathToFileURL(bundle).href)) as {
  handler: (event: unknown, context: object) => Promise<unknown>
}
process.on('message', (event) => {
  void handler(event, {}).then((answer) => process.send?.(answer))
})
process.send?.('ready')
