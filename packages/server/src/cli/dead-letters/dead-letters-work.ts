import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DeliveryView, Page } from '@runbell/sdk/contract'
import type { ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { queryOf, type FilterFlags } from '../replay/filter-flags.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'

export interface ListOptions extends ServerOptions, FilterFlags {
  limit?: number
  json?: boolean
}

export interface GroupOptions extends ServerOptions, FilterFlags {
  by: string
  json?: boolean
}

export interface ExportOptions extends ServerOptions, FilterFlags {
  format: 'ndjson' | 'csv'
  out?: string
}

export interface DiscardOptions extends ServerOptions {
  note?: string
  json?: boolean
}

type DeadLetter = DeliveryView & { error_code: string | null; note: string | null }

interface Group {
  endpoint_id?: string
  error_code?: string | null
  type?: string
  count: number
  first_at: string
  last_at: string
  example_delivery_id: string
}

const DEFAULT_LIMIT = 50
/** The most that one page has. */
const PAGE = 200

export async function listDeadLetters({ limit = DEFAULT_LIMIT, ...options }: ListOptions): Promise<number> {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new CliError('--limit is a number from 1', EXIT.usage)
  const { api } = findServer(options)
  let left = limit
  for await (const page of pages(api, options, limit)) {
    for (const letter of page.slice(0, left)) printLine(options.json === true ? JSON.stringify(letter) : lineOf(letter))
    left -= page.length
    if (left <= 0) return EXIT.ok
  }
  if (left === limit && options.json !== true) process.stderr.write('There are no dead letters.\n')
  return EXIT.ok
}

async function* pages(api: ApiClient, options: FilterFlags, limit: number): AsyncGenerator<DeadLetter[]> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const more: Record<string, string> = {
      limit: String(Math.min(PAGE, limit)),
      ...(cursor === undefined ? {} : { cursor }),
    }
    const page: Page<DeadLetter> = await api.get(`/v1/dead-letters?${queryOf(options, more)}`)
    yield page.data
    cursor = page.next_cursor
  }
}

function lineOf(letter: DeadLetter): string {
  const {
    id,
    event_type: type,
    endpoint_id: endpoint,
    error_code: error,
    attempt_count: attempts,
    updated_at: at,
  } = letter
  return `${minute(at)}  ${id}  ${type}  to ${endpoint}  ${error ?? 'never sent'}, ${attempts} attempts`
}

export async function groupDeadLetters({ by, ...options }: GroupOptions): Promise<number> {
  const { api } = findServer(options)
  const query = queryOf(options, { group_by: by, limit: String(PAGE) })
  const { data } = await api.get<Page<Group>>(`/v1/dead-letters?${query}`)
  for (const group of data) printLine(options.json === true ? JSON.stringify(group) : groupLine(group))
  if (data.length === 0 && options.json !== true) process.stderr.write('There are no dead letters.\n')
  return EXIT.ok
}

function groupLine({
  count,
  first_at: first,
  last_at: last,
  endpoint_id: endpoint,
  error_code: error,
  type,
}: Group): string {
  const what = [endpoint, error === null ? 'never sent' : error, type].filter((part) => part !== undefined)
  return `${count.toLocaleString('en').padStart(9)}  ${what.join('  ')}  ${minute(first)} to ${minute(last)}`
}

/** To the minute, UTC. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`
}

export async function discardDeadLetter(id: string, { note, json, ...options }: DiscardOptions): Promise<number> {
  const { api } = findServer(options)
  const path = `/v1/dead-letters/${encodeURIComponent(id)}/discard`
  const letter = await api.post<DeadLetter>(path, note === undefined ? {} : { note })
  printLine(json === true ? JSON.stringify(letter) : `${letter.id} is off the list`)
  return EXIT.ok
}

/** The last line of a whole export. */
const ENDS = { ndjson: /^\{"export":\{"complete":true,/, csv: /^#complete,/ }

export async function exportDeadLetters({ format, out, ...options }: ExportOptions): Promise<number> {
  const { api } = findServer(options)
  const lines = api.lines(`/v1/dead-letters/export?${queryOf(options, { format })}`)
  const whole = Readable.from(untilEnd(lines, format))
  if (out === undefined) {
    await pipeline(whole, process.stdout, { end: false })
    return EXIT.ok
  }
  const draft = `${out}.part`
  try {
    await pipeline(whole, createWriteStream(draft))
    await rename(draft, out)
  } catch (error) {
    await rm(draft, { force: true })
    if (error instanceof CliError) throw error
    throw new CliError(`${out} cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
  return EXIT.ok
}

/** @throws CliError where the end is missing */
async function* untilEnd(lines: AsyncIterable<string>, format: ExportOptions['format']): AsyncGenerator<string> {
  let last = ''
  for await (const line of lines) {
    last = line
    yield format === 'csv' ? `${line}\r\n` : `${line}\n`
  }
  if (!ENDS[format].test(last)) throw new CliError('the export was cut off: what came is a part of it; try again')
}
