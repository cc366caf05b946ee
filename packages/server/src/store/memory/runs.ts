import type { DeliveryCounts } from '@runbell/sdk/contract'
import type { CursorPage, EventRow } from '../rows.ts'
import type { ChildCounts, RunDetail, RunFilter, RunRow } from '../runs.ts'
import type { Store } from '../store.ts'
import { isWithin, MemoryReading, pageOf } from './reading.ts'
import type { EventState, RunRecord } from './state.ts'

type Input<Verb extends keyof Store> = Parameters<Store[Verb]>[0]

/** Runs, as readers see them. */
export class MemoryRuns extends MemoryReading {
  listRuns(input: Input<'listRuns'>): Promise<CursorPage<RunRow>> {
    return this.verb('listRuns', input, ({ scope, filter, page }) => {
      const found = this.#allRuns().filter((run) => this.sees(scope, run) && runMatches(filter, run))
      return pageOf(found, page, (run) => run)
    })
  }

  findRuns(input: Input<'findRuns'>): Promise<RunDetail[]> {
    return this.verb('findRuns', input, ({ scope, runId }) => {
      const found = this.#allRuns().filter((run) => this.sees(scope, run) && run.runId === runId)
      return found.slice(0, 2).map((run) => this.#detail(run))
    })
  }

  listRunEvents(input: Input<'listRunEvents'>): Promise<EventRow[]> {
    return this.verb('listRunEvents', input, ({ run: position, after, limit }) => {
      const run = this.#allRuns().find((candidate) => candidate.position === position)
      if (run === undefined) return []
      const events = this.#eventsOf(run).filter(({ sequence }) => (sequence ?? 0) > after)
      return events.slice(0, limit).map((event) => this.eventRow(event))
    })
  }

  #allRuns(): RunRow[] {
    return [...this.partitions].flatMap(([key, { runs }]) => {
      const [tenantId, mode] = JSON.parse(key) as [string, RunRow['mode']]
      return [...runs].map(([runId, record]) => ({ mode, tenantId, runId, ...rowOf(record) }))
    })
  }

  #eventsOf({ tenantId, mode, runId }: RunRow): EventState[] {
    const events = [...this.partition(tenantId, mode).events.values()].filter((event) => event.runId === runId)
    return events.toSorted((a, b) => a.position - b.position)
  }

  #detail(row: RunRow): RunDetail {
    const { children, progress } = this.partition(row.tenantId, row.mode).runs.get(row.runId) as RunRecord
    const events = this.#eventsOf(row)
    const count = (kind: string): ChildCounts => {
      const phases = [...children].filter(([key]) => key.startsWith(`${kind} `)).map(([, phase]) => phase)
      return { total: phases.length, open: phases.filter((phase) => phase === 'open').length }
    }
    const at = (place: number | null) => {
      const event = events.find(({ sequence }) => place !== null && sequence === place)
      return event === undefined ? null : this.eventRow(event)
    }
    const deliveries: DeliveryCounts = {
      total: 0,
      delivered: 0,
      pending: 0,
      dead_lettered: 0,
      cancelled: 0,
      expired: 0,
    }
    for (const { status } of events.flatMap((event) => event.deliveries)) {
      deliveries.total += 1
      deliveries[status] += 1
    }
    const counts = { toolCalls: count('tool_call'), approvals: count('approval'), deliveries }
    return { ...row, ...counts, statusEvent: at(progress.statusAt), failureEvent: at(progress.failureAt) }
  }
}

function rowOf({ position, sequence, progress, ...record }: RunRecord): Omit<RunRow, 'mode' | 'tenantId' | 'runId'> {
  const { status, endedAt, parentRunId } = progress
  const { agentId, taskId, lifecycleWarnings, createdAt, updatedAt } = record
  const times = { createdAt, updatedAt, endedAt }
  return { position, agentId, taskId, parentRunId, status, lastSequence: sequence, lifecycleWarnings, ...times }
}

function runMatches(filter: RunFilter, run: RunRow): boolean {
  if (filter.statuses.length > 0 && (run.status === null || !filter.statuses.includes(run.status))) return false
  if (filter.agentId !== null && run.agentId !== filter.agentId) return false
  if (filter.taskId !== null && run.taskId !== filter.taskId) return false
  if (filter.parentRunId !== null && run.parentRunId !== filter.parentRunId) return false
  return isWithin(filter, run.createdAt)
}
