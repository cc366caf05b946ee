import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { BUILT_IN_TYPES } from '../src/catalog/index.ts'
import type { RunbellOptions } from '../src/emit/index.ts'
import { checkSchema } from './check-schema.ts'
import { acceptAll, publishServer, runbellWith, type PostedEvent, type Reply } from './publish-server.ts'

/** The password that exceptions of the adapters' tests carry. */
export const PLANTED = 'hunter2-planted-password'

/** The page of an adapter in docs/adapters, held against what the adapter tells of one run. */
export function adapterPage(page: string, runId: string) {
  const table = eventTable(page)
  const unseen = new Set(table.keys())
  /** A Runbell, and what it posted. */
  function world(options: Partial<RunbellOptions> & { reply?: Reply } = {}) {
    const { reply, ...more } = options
    const server = publishServer(reply)
    const { runbell, lost } = runbellWith(server, { defaultAgent: { id: 'default-agent' }, ...more })
    /** Holds what was posted against a line of the page. */
    const told = async (what: string) => {
      await runbell.flush()
      unseen.delete(what)
      expect(eventLines(server.posted(), runId)).toEqual(table.get(what))
      expect(lost).toEqual([])
    }
    return { runbell, server, told }
  }
  /**
   * A server that does not answer, and then is back. `work` has to end while it is away.
   * @returns the types that arrived afterwards
   */
  async function whileAway(
    work: (runbell: ReturnType<typeof world>['runbell']) => Promise<unknown>,
  ): Promise<string[]> {
    let comeBack: (answer: 'broken') => void = () => undefined
    const back = new Promise<'broken'>((resolve) => (comeBack = resolve))
    const { runbell, server } = world({ reply: () => back })
    await work(runbell)
    expect(server.requests.length).toBeLessThanOrEqual(1)
    server.reply = acceptAll
    comeBack('broken')
    await runbell.flush()
    return eventLines(server.posted(), runId)
  }
  return { table, unseen, world, whileAway }
}

/**
 * The table of an adapter's page: for each thing that happens the events that tell it. The page is what the tests hold the
 * adapter to, so the two cannot differ.
 */
function eventTable(page: string): Map<string, string[]> {
  const text = readFileSync(new URL(`../../../docs/adapters/${page}.md`, import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| (?<what>[^|`]+?) +\| (?<events>`.+`) +\|$/gm)]
  return new Map(rows.map(({ groups }) => [groups?.['what'] ?? '', events(groups?.['events'] ?? '')]))
}

function events(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

/**
 * What was posted, an event a line as the pages write it: the type without `agent.`, which call it is about, and the codes.
 * Each event has to fit its schema, to be of that run, and to say nothing of the planted password.
 */
function eventLines(posted: readonly PostedEvent[], runId: string): string[] {
  const once = new Map<string, PostedEvent>()
  for (const event of posted) if (!once.has(event.event_id)) once.set(event.event_id, event)
  return [...once.values()].map((event) => {
    const schema = BUILT_IN_TYPES.get(event.type)?.versions[0]?.schema
    expect(schema, event.type).toBeDefined()
    expect(checkSchema(schema ?? {}, event.data), JSON.stringify(event)).toEqual([])
    expect(event.run_id).toBe(runId)
    expect(JSON.stringify(event)).not.toContain(PLANTED)
    return line(event)
  })
}

function line({ type, agent, data }: PostedEvent): string {
  const { tool_call_id: call, waiting_for: waits, resumed_after: after, reason, error, to_agent: to } = data as Told
  const said = [call, waits, after, to?.id, ...(type.endsWith('.denied') ? [] : [reason]), error?.code]
  const words = said.filter((word) => word !== undefined)
  expect(agent.id).not.toBe('')
  return words.length === 0 ? type.slice('agent.'.length) : `${type.slice('agent.'.length)} ${words.join(' ')}`
}

interface Told {
  tool_call_id?: string
  waiting_for?: string
  resumed_after?: string
  reason?: string
  error?: { code: string }
  to_agent?: { id: string }
}
