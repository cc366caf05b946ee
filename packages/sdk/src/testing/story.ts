import { BUILT_IN_TYPES, type EventType, type EventTypeName } from '../catalog/index.ts'
import type { Envelope } from '../contract/index.ts'

type Step = readonly [type: EventTypeName, afterMs: number, data?: Record<string, unknown>]

/** What happens in each story. Data is that of the samples, with these changes. */
export const STORIES = {
  /** A refund that a person approves. */
  refund_with_approval: [
    ['agent.run.started', 0],
    ['agent.approval.requested', 4800],
    ['agent.run.waiting', 10],
    ['agent.approval.approved', 1_765_000],
    ['agent.run.resumed', 400],
    ['agent.tool_call.started', 200],
    ['agent.tool_call.completed', 1830],
    ['agent.message.sent', 900],
    ['agent.run.completed', 120],
  ],
  /** An attempt fails, the next one, too. */
  failure_with_retry: [
    ['agent.run.started', 0],
    ['agent.run.retrying', 3000],
    ['agent.run.resumed', 60_000, { resumed_after: 'retry' }],
    ['agent.tool_call.started', 300],
    ['agent.tool_call.failed', 10_000],
    ['agent.run.failed', 50, { status: 'failed' }],
  ],
  /** Some of it is done, and a person does the rest. */
  partial_completion: [
    ['agent.run.started', 0],
    ['agent.tool_call.started', 1200],
    ['agent.tool_call.failed', 10_000],
    ['agent.escalation.created', 80],
    ['agent.run.partially_completed', 40],
  ],
  /** Nobody decides in time. */
  approval_expires: [
    ['agent.run.started', 0],
    ['agent.approval.requested', 2100],
    ['agent.run.waiting', 10],
    ['agent.approval.expired', 14_400_000],
    ['agent.run.failed', 30, { status: 'rejected' }],
  ],
} as const satisfies Record<string, readonly Step[]>

export type StoryName = keyof typeof STORIES

export interface StoryOptions {
  /** The same seed tells the same story, byte for byte. @default 1 */
  seed?: number
  /** When it begins, in milliseconds since 1970. @default 2026-11-23T18:02:10.000Z */
  start?: number
}

/** What is the same in all events of a story. */
const SHARED_IDS = ['tool_call_id', 'approval_id', 'escalation_id', 'message_id'] as const

/**
 * A whole run as an endpoint that may see everything receives it: events in their order, with one run, rising `sequence`, and
 * ids that follow from the seed.
 */
export function story(name: StoryName, { seed = 1, start = 1_795_456_930_000 }: StoryOptions = {}): Envelope[] {
  const random = randomNumbers(seed)
  const ids = Object.fromEntries(SHARED_IDS.map((key) => [key, `${key.slice(0, 3)}_test_${word(random)}`]))
  const runId = `run_test_${word(random)}`
  let time = start
  return STORIES[name].map(([type, afterMs, data = {}]: Step, index) => {
    // No two runs take the same time.
    time += Math.round(afterMs * (0.9 + 0.2 * random()))
    const { causation_id: _cause, ...sample } = (BUILT_IN_TYPES.get(type) as EventType).samples.test
    const own = sample.data as Record<string, unknown>
    const shared = Object.fromEntries(Object.entries(ids).filter(([key]) => key in own))
    const waits = 'approval_ids' in own ? { approval_ids: [ids['approval_id']] } : {}
    return {
      ...sample,
      event_id: `evt_test_${word(random)}${word(random)}`,
      timestamp: new Date(time).toISOString(),
      recorded_at: new Date(time + 44).toISOString(),
      run_id: runId,
      sequence: index + 1,
      data: { ...own, ...shared, ...waits, ...data },
    }
  })
}

/** Mulberry32: small, and good enough to tell stories apart. From 0 to below 1. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function word(random: () => number): string {
  return Array.from({ length: 10 }, () => Math.floor(random() * 36).toString(36)).join('')
}
