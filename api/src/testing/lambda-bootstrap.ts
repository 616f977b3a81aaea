import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Beside the answer: packages that were asked for by then, which a function that is one file cannot have. */
export const FOREIGN_HEADER = 'x-test-foreign-imports'

const foreign: string[] = []
registerHooks({
  resolve: (specifier, context, next) => {
    if (!/^(node:|file:|\/|\.)/.test(specifier)) foreign.push(specifier)
    return next(specifier, context)
  }
})

type Handler = (event: unknown, context: object) => Promise<unknown>

/** Stands in for the bootstrap of Lambda's runtime: asks the Runtime API for events, and posts what the handler makes of them. */
const serve = async (api: string, root: string, name: string): Promise<never> => {
  const [file = '', method = ''] = name.split('.')
  const module: unknown = await import(pathToFileURL(join(root, `${file}.mjs`)).href)
  const handle = Reflect.get(Object(module), method) as Handler
  const base = `http://${api}/2018-06-01/runtime/invocation`
  // oxlint-disable-next-line nextscale/bounded-waits -- It serves until it is ended.
  for (;;) {
    const next = await fetch(`${base}/next`)
    const id = next.headers.get('lambda-runtime-aws-request-id') ?? ''
    const post = (path: string, body: unknown) =>
      fetch(`${base}/${id}/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { [FOREIGN_HEADER]: foreign.join(',') }
      })
    try {
      await post('response', await handle(await next.json(), { awsRequestId: id }))
    } catch (error) {
      await post('error', { errorMessage: String(error) })
    }
  }
}

const [, , api, root = '', name = ''] = process.argv
if (import.meta.main && api !== undefined) await serve(api, root, name)
