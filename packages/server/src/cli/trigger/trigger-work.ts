import type { Envelope, Page } from '@runbell/sdk/contract'
import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { ApiRefused, type ApiClient } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { sendCanary, type CanaryVerdict } from './canary.ts'
import { freshSample, type Publishable } from './fresh-sample.ts'
import { publish, publishedText, type Published } from './publish.ts'
import { setField } from './set-field.ts'
import type { TriggeredStory } from './story-names.ts'
import { planStory } from './story-plan.ts'

export interface TriggerOptions extends ServerOptions {
  set?: string[]
  story?: TriggeredStory
  maxWait?: string
  canary?: boolean
  list?: boolean
  json?: boolean
}

const DEFAULT_MAX_WAIT_S = 2
const CANARY_TYPE = 'agent.run.completed'

/** @throws CliError where it is not test mode, or something is asked for that does not go together */
export async function trigger(type: string | undefined, options: TriggerOptions): Promise<number> {
  const { set = [], story, canary, list } = options
  const maxWaitMs = readMaxWait(options)
  if ([type, story, canary, list].every((one) => one === undefined)) {
    throw new CliError(
      'there is nothing to trigger: name an event type or a --story; --list prints the types',
      EXIT.usage,
    )
  }
  if (story !== undefined && (type !== undefined || set.length > 0 || canary === true)) {
    throw new CliError('--story publishes a run as it is: leave the type, --set and --canary out', EXIT.usage)
  }
  const { api, mode, url } = findServer(options)
  if (list === true) return await listTypes(api, options)
  if (mode !== 'test') {
    throw new CliError(`samples are for test mode, and the key for ${url} is a live one: give a test key`, EXIT.usage)
  }
  if (story !== undefined) return await tellStory(api, story, maxWaitMs, options)
  const event = await sampleOf(api, type ?? CANARY_TYPE)
  for (const setting of set) setField(event, setting)
  if (canary === true) return await runCanary(api, event, options)
  print(await publish(api, event), options)
  return EXIT.ok
}

function readMaxWait({ maxWait, story }: TriggerOptions): number {
  if (maxWait === undefined) return DEFAULT_MAX_WAIT_S * 1000
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(maxWait) ? Number(maxWait) : Number.NaN
  if (Number.isNaN(seconds)) {
    throw new CliError(`--max-wait "${maxWait}" is not a number of seconds: write one such as 2 or 0.5`, EXIT.usage)
  }
  if (story === undefined)
    throw new CliError('--max-wait goes with --story: add it, or leave --max-wait out', EXIT.usage)
  return seconds * 1000
}

async function sampleOf(api: ApiClient, type: string): Promise<Publishable> {
  try {
    const sample = await api.get<Envelope>(`/v1/event-types/${encodeURIComponent(type)}/sample`)
    return freshSample(sample, Date.now())
  } catch (error) {
    if (!(error instanceof ApiRefused) || error.status !== 404) throw error
    throw new CliError(
      `the server has no event type ${JSON.stringify(type)}: runbell trigger --list prints those it has`,
    )
  }
}

async function tellStory(
  api: ApiClient,
  name: TriggeredStory,
  maxWaitMs: number,
  options: TriggerOptions,
): Promise<number> {
  const plan = planStory(name, { seed: randomInt(2 ** 32), now: Date.now(), maxWaitMs })
  for (const { waitMs, event } of plan) {
    if (waitMs > 0) await wait(waitMs)
    print(await publish(api, event), options)
  }
  return EXIT.ok
}

function print(published: Published, { json }: TriggerOptions): void {
  if (json === true) printLine(JSON.stringify(published))
  else for (const line of publishedText(published)) printLine(line)
}

async function listTypes(api: ApiClient, { json }: TriggerOptions): Promise<number> {
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<{ type: string; fact: string }> = await api.get(`/v1/event-types?limit=200${query}`)
    for (const summary of page.data) {
      printLine(json === true ? JSON.stringify(summary) : `${summary.type.padEnd(32)}  ${summary.fact}`)
    }
    cursor = page.next_cursor
  } while (cursor !== null)
  return EXIT.ok
}

const SAID: Readonly<Record<CanaryVerdict, string>> = {
  keeps_bytes: 'takes both: it verifies the bytes that came',
  changes_bytes: 'refuses the canary: it parses and prints JSON again before it verifies. Verify the raw body',
  takes_neither: 'takes neither: look at its deliveries; it may have another secret',
  no_answer: 'did not answer',
}

async function runCanary(api: ApiClient, event: Publishable, { json }: TriggerOptions): Promise<number> {
  const results = await sendCanary(api, event)
  const screen = createScreen(process.stdout)
  for (const result of results) {
    const { endpoint, verdict, plain_status: plain, canary_status: canary } = result
    if (json === true) printLine(JSON.stringify(result))
    else {
      const said = screen.paint(verdict === 'keeps_bytes' ? 'green' : 'red', SAID[verdict])
      screen.line(`${endpoint}  plain ${plain ?? '—'}, canary ${canary ?? '—'}: ${said}`)
    }
  }
  return results.some(({ verdict }) => verdict === 'changes_bytes') ? EXIT.notWell : EXIT.ok
}
