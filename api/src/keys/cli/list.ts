import type { KeyContext } from '../create.ts'
import { listKeys } from '../list.ts'
import type { ApiKeyRecord } from '../record.ts'
import { type Command, parse } from '../../cli/command.ts'

const usage = `nextscale keys list
  Shows the API keys there are, with the last characters of each.`

const HEAD = ['id', 'name', 'key', 'scopes', 'requests/min', 'in flight', 'streams', 'created', 'expires']

const toRow = ({ id, name, secret_end, scopes, limits, created_at, expires_at }: ApiKeyRecord): string[] => [
  id,
  name,
  `…${secret_end}`,
  scopes.join(','),
  ...[limits.requests_per_minute, limits.in_flight, limits.streams].map((limit) => String(limit ?? '-')),
  created_at.slice(0, 10),
  expires_at?.slice(0, 10) ?? '-'
]

/** Rows of cells with columns aligned. */
const formatTable = (rows: readonly (readonly string[])[]): string => {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const padded = (cell: string, column: number) => cell.padEnd(widths[column] ?? 0)
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n')
}

export const list: Command<KeyContext> = {
  usage,
  prepare: (args) => {
    parse(args, {}, usage)
    return async (context) => {
      const records = await listKeys(context)
      return records.length === 0 ? 'There is no API key.' : formatTable([HEAD, ...records.map(toRow)])
    }
  }
}
