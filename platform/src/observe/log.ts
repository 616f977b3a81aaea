/** What is told of a process, as Fastify's log and pino take it. */
export interface Log {
  error(details: object, message: string): void
  warn(details: object, message: string): void
  warn(message: string): void
  info(details: object, message: string): void
  info(message: string): void
  debug(details: object, message: string): void
}
