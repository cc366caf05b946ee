import type { Mode } from '@runbell/sdk/contract'
import type { Audited } from './audit.ts'
import type { CursorPage, GivenBody, PageRequest, ReadScope } from './rows.ts'
import { OBSTACLES, type EndedFilter, type EndedStatus, type Obstacle } from './surveys.ts'

export type BulkReplayStatus = 'running' | 'completed' | 'cancelled'

/** What was asked for and found when it was asked for; fixed from then on. */
export interface AskedReplay {
  filter: EndedFilter
  /** Makes deliveries of events for this endpoint, which has none of them yet; `null`: reopens deliveries. */
  toEndpointId: string | null
  /** Deliveries a second, at most. */
  ratePerSecond: number
  /** The highest position there was: of deliveries, or of events where there is an endpoint. */
  upTo: number
  /** How many there were, those with an obstacle included. */
  matched: number
  /** The most frequent ones, at most 100 each. */
  matchedBy: { endpoints: [endpointId: string, count: number][]; types: [type: string, count: number][] }
}

/** What has come of it so far. */
export interface ReplayCounts {
  /** Deliveries that were reopened or made. */
  replayed: number
  skipped: Record<Obstacle, number>
  /** How those that were replayed have ended since; `removed`: nobody knows, retention was faster. */
  outcomes: Record<EndedStatus | 'removed', number>
}

/**
 * A bulk replay. It walks in rising position from `cursor`, once: `replayed`, `cursor` and what is reopened change in one
 * transaction, so that no delivery is taken twice or passed over, whoever dies when.
 *
 *     running ──▶ completed: nothing is left of what was matched
 *        └──────▶ cancelled, by request; what has been reopened goes on
 */
export interface BulkReplayRow {
  position: number
  /** `rpl_…`. */
  id: string
  mode: Mode
  /** `null`: of all tenants. */
  tenantId: string | null
  status: BulkReplayStatus
  asked: AskedReplay
  counts: ReplayCounts
  /** The position up to which everything is done. */
  cursor: number
  createdAt: number
  updatedAt: number
  endedAt: number | null
}

export type NewBulkReplay = Pick<BulkReplayRow, 'id' | 'mode' | 'tenantId' | 'asked' | 'createdAt'>

/** A bulk replay that a node works on; `fence` changes with every node that takes it over. */
export interface HeldReplay {
  row: BulkReplayRow
  fence: number
}

export interface Advanced {
  row: BulkReplayRow
  /** How many were reopened or made by this step. */
  replayed: number
  endpointIds: string[]
}

export interface BulkReplayVerbs {
  /** `null`: as many of this mode and tenant run already. */
  createBulkReplay(input: { replay: NewBulkReplay; maxRunning: number } & Audited): Promise<BulkReplayRow | null>
  findBulkReplay(input: { scope: ReadScope; replayId: string }): Promise<BulkReplayRow | null>
  /** Newest first. */
  listBulkReplays(input: { scope: ReadScope; page: PageRequest }): Promise<CursorPage<BulkReplayRow>>
  /** `null`: there is none that runs. */
  cancelBulkReplay(input: { scope: ReadScope; replayId: string; now: number } & Audited): Promise<BulkReplayRow | null>
  /**
   * Those that run and are this node's: the ones it has already, and, oldest first, ones that nobody has who is alive. A node that
   * is taken for dead, and goes on, is fenced off.
   */
  claimBulkReplays(input: { nodeId: string; limit: number }): Promise<HeldReplay[]>
  /**
   * One step of a replay that reopens: looks at `look` deliveries at most, and reopens `limit` at most.
   * `null`: it is not this node's any more, or does not run.
   */
  advanceBulkReplay(input: {
    replay: number
    fence: number
    now: number
    look: number
    limit: number
  }): Promise<Advanced | null>
  /**
   * One step of a replay to an endpoint: makes deliveries with bodies rendered as of `configVersion`, each unless the endpoint has
   * one of the event. `from` is the cursor that the events were read after, `to` the next one; `null` ends the replay.
   */
  deliverBulkReplay(input: {
    replay: number
    fence: number
    now: number
    from: number
    to: number | null
    items: { eventPosition: number; deliveryId: string; body: GivenBody }[]
    configVersion: number
  }): Promise<Advanced | 'stale' | null>
  /**
   * Counts how replayed deliveries have ended that were pending so far, of all bulk replays, `limit` at a time.
   * `next`: where the next call goes on; `null`: at the start.
   */
  settleBulkReplays(input: { after: ReplayedPlace | null; limit: number }): Promise<{ next: ReplayedPlace | null }>
  /** Removes bulk replays that ended before, once nothing of them is pending. Returns how many. */
  pruneBulkReplays(input: { mode: Mode; endedBefore: number; limit: number }): Promise<number>
}

/** A delivery that a bulk replay has reopened or made. */
export interface ReplayedPlace {
  replay: number
  delivery: number
}

export function noCounts(): ReplayCounts {
  const skipped = Object.fromEntries(OBSTACLES.map((obstacle) => [obstacle, 0])) as ReplayCounts['skipped']
  return { replayed: 0, skipped, outcomes: { dead_lettered: 0, delivered: 0, cancelled: 0, expired: 0, removed: 0 } }
}

/** What of a step's candidates is taken: all, or the first ones up to as many as may be replayed. */
export function takeStep<Found extends { position: number; obstacle: Obstacle | null }>(
  { wanted, seen }: { wanted: readonly Found[]; seen: readonly number[] },
  { look, limit }: { look: number; limit: number },
): { taken: Found[]; cursor: number | null } {
  let free = limit
  const end = wanted.findIndex(({ obstacle }) => obstacle === null && free-- === 0)
  if (end !== -1) {
    const taken = wanted.slice(0, end)
    return { taken, cursor: taken.at(-1)?.position ?? null }
  }
  return { taken: [...wanted], cursor: seen.length < look ? null : (seen.at(-1) ?? null) }
}
