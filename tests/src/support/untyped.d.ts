/** What the tests use of packages that bring no types. */

declare module 'compression' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void
  const compression: () => Middleware
  export = compression
}

declare module 'event-source-polyfill' {
  interface Options {
    headers?: Record<string, string>
  }
  export class EventSourcePolyfill extends EventTarget {
    constructor(url: string, options?: Options)
    readonly readyState: number
    close(): void
  }
}
