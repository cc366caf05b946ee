import { createInterface } from 'node:readline/promises'
import { setTimeout } from 'node:timers/promises'
import type { BulkReplayView, Page, ReplayPreview } from '@runbell/sdk/contract'
import type { ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { filterOf, type FilterFlags } from './filter-flags.ts'
import { previewLines, progressLine, skipLines, summaryLine } from './replay-text.ts'

export interface ReplayOptions extends ServerOptions, FilterFlags {
  status?: string[]
  toEndpoint?: string
  rate?: number
  dryRun?: boolean
  yes?: boolean
  json?: boolean
}

export interface ListOptions extends ServerOptions {
  json?: boolean
}

/** How often to look how far it is. */
const LOOK_MS = 500

export async function replayAll(options: ReplayOptions): Promise<number> {
  const { api } = findServer(options)
  const { json = false, dryRun = false, yes = false } = options
  const body = bodyOf(options)
  const preview = await api.post<ReplayPreview>('/v1/replays', { ...body, dry_run: true })
  if (dryRun && json) printLine(JSON.stringify(preview))
  else if (!json) for (const line of previewLines(preview)) printLine(line)
  if (dryRun || preview.replayable === 0) {
    if (!dryRun) process.stderr.write('There is nothing to replay.\n')
    return EXIT.ok
  }
  if (!yes && !(await confirm(preview.replayable))) return EXIT.ok
  const begun = await api.post<BulkReplayView>('/v1/replays', body)
  const done = await watch(api, begun)
  if (json) printLine(JSON.stringify(done))
  else for (const line of [summaryLine(done), ...skipLines(done.skipped)]) printLine(line)
  return EXIT.ok
}

function bodyOf({ status, toEndpoint, rate, ...flags }: ReplayOptions): Record<string, unknown> {
  const filter = { ...filterOf(flags), ...(status === undefined ? {} : { status }) }
  return {
    filter,
    ...(toEndpoint === undefined ? {} : { to_endpoint_id: toEndpoint }),
    ...(rate === undefined ? {} : { rate_per_second: rate }),
  }
}

/** @throws CliError where there is nobody to ask */
async function confirm(count: number): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError('nothing was changed: run it again with --yes to replay that', EXIT.usage)
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question(`Replay ${count.toLocaleString('en')} deliveries? [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    asking.close()
  }
}

/** Tells how far it is until everything has been made due. */
async function watch(api: ApiClient, begun: BulkReplayView): Promise<BulkReplayView> {
  const screen = createScreen(process.stderr)
  screen.line(`${begun.id} has begun; it goes on when this command ends`)
  try {
    for (let seen = begun; ; seen = await api.get<BulkReplayView>(`/v1/replays/${begun.id}`)) {
      if (seen.status !== 'running') return seen
      screen.status(progressLine(seen))
      await setTimeout(LOOK_MS)
    }
  } finally {
    screen.status(null)
  }
}

export async function listReplays(options: ListOptions): Promise<number> {
  const { api } = findServer(options)
  const { data } = await api.get<Page<BulkReplayView>>('/v1/replays?limit=50')
  if (options.json === true) for (const replay of data) printLine(JSON.stringify(replay))
  else if (data.length === 0) process.stderr.write('There are no bulk replays.\n')
  else for (const replay of data) printLine(`${replay.id}  ${replay.created_at.slice(0, 16)}Z  ${summaryLine(replay)}`)
  return EXIT.ok
}

export async function cancelReplay(id: string, options: ListOptions): Promise<number> {
  const { api } = findServer(options)
  const replay = await api.post<BulkReplayView>(`/v1/replays/${encodeURIComponent(id)}/cancel`, {})
  printLine(options.json === true ? JSON.stringify(replay) : summaryLine(replay))
  return EXIT.ok
}
