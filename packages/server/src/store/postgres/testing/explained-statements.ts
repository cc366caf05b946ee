import type { ClientBase, QueryResult } from 'pg'

/** What Postgres did for a statement, with the values it was really sent. */
export interface Explained {
  text: string
  scans: Scan[]
}

/** How a statement got at the rows of one table. */
export interface Scan {
  table: string
  /** `null`: it went through the whole table. */
  index: string | null
  /** Rows looked at, those that a filter passed over included. */
  read: number
  /** Rows the planner believed it would find; `null`: it stops early, below a limit. */
  expected: number | null
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Plan Rows': number
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

/**
 * A connection that explains each statement, with what it really does, takes that back, and runs it. In a transaction only. One
 * statement after another, as they are done on a connection anyway.
 */
export class ExplainingClient {
  readonly explained: Explained[] = []
  readonly #client: ClientBase
  #last: Promise<unknown> = Promise.resolve()

  constructor(client: ClientBase) {
    this.#client = client
  }

  /** As the session sees it. */
  get asClient(): ClientBase {
    return { query: (query: Sent) => this.#next(query) } as unknown as ClientBase
  }

  #next(sent: Sent): Promise<QueryResult> {
    const answer = this.#last.then(() => this.#explainAndRun(sent))
    this.#last = answer.catch(() => {})
    return answer
  }

  async #explainAndRun({ text, values }: Sent): Promise<QueryResult> {
    await this.#client.query('SAVEPOINT before')
    const { rows } = await this.#client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
      text: `EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) ${text}`,
      values,
    })
    await this.#client.query('ROLLBACK TO SAVEPOINT before')
    const plan = rows[0]?.['QUERY PLAN'][0].Plan
    if (plan !== undefined) this.explained.push({ text, scans: scansOf(plan) })
    return this.#client.query({ text, values })
  }
}

interface Sent {
  text: string
  values: unknown[]
}

function scansOf(node: PlanNode, isLimited = false): Scan[] {
  const stopsEarly = node['Node Type'] === 'Limit' || (isLimited && node['Node Type'] !== 'Sort')
  const below = (node.Plans ?? []).flatMap((child) => scansOf(child, stopsEarly))
  const table = node['Relation Name']
  if (table === undefined || !/Scan/.test(node['Node Type'])) return below
  const rows =
    (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  // What a bitmap scan reads was found in the index below it.
  const found = node['Node Type'] === 'Bitmap Heap Scan' ? bitmapIndexOf(node) : (node['Index Name'] ?? null)
  const loops = node['Actual Loops'] ?? 0
  return [{ table, index: found, read: rows * loops, expected: isLimited ? null : node['Plan Rows'] }, ...below]
}

function bitmapIndexOf(node: PlanNode): string | null {
  for (const child of node.Plans ?? []) {
    const found = child['Index Name'] ?? bitmapIndexOf(child)
    if (found !== null) return found
  }
  return null
}
