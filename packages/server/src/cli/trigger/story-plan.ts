import { BUILT_IN_TYPES, type EventType } from '@runbell/sdk/catalog'
import type { Envelope } from '@runbell/sdk/contract'
import { story, type StoryName } from '@runbell/sdk/testing'
import { moveTimes, publishable, type Publishable } from './fresh-sample.ts'
import type { TriggeredStory } from './story-names.ts'

export interface PlannedEvent {
  /** After the one before it, in milliseconds. */
  waitMs: number
  event: Publishable
}

const SOURCES: Readonly<Record<TriggeredStory, { name: StoryName; until?: string }>> = {
  refund: { name: 'refund_with_approval' },
  approval: { name: 'refund_with_approval', until: 'agent.run.waiting' },
  failure: { name: 'failure_with_retry' },
  partial: { name: 'partial_completion' },
  expired: { name: 'approval_expires' },
}
/** Where a story tells that nobody decided, this is over by then. */
const ENDS = ['expires_at', 'resume_by'] as const

/**
 * The events of a story, with waits that are as long as in the story and no longer than `maxWaitMs`; times in them follow.
 * @param now when it begins, milliseconds since 1970
 */
export function planStory(
  wanted: TriggeredStory,
  options: { seed: number; now: number; maxWaitMs: number },
): PlannedEvent[] {
  const { name, until } = SOURCES[wanted]
  const told = story(name, { seed: options.seed, start: options.now })
  const last = until === undefined ? told.length : told.findIndex(({ type }) => type === until) + 1
  const events = told.slice(0, last)
  let at = options.now
  const times = events.map(({ timestamp }, index) => {
    const before = events[index - 1]?.timestamp ?? timestamp
    const waitMs = Math.min(Date.parse(timestamp) - Date.parse(before), options.maxWaitMs)
    at += waitMs
    return { waitMs, at }
  })
  const expiry = times[events.findIndex(({ type }) => type === 'agent.approval.expired')]?.at ?? null
  return events.map((event, index) => {
    const { waitMs, at: happened } = times[index] as (typeof times)[number]
    return { waitMs, event: planned(event, happened, expiry) }
  })
}

function planned(event: Envelope, happened: number, expiry: number | null): Publishable {
  const sample = (BUILT_IN_TYPES.get(event.type) as EventType).samples.test
  const data = moveTimes(event.data, happened - Date.parse(sample.timestamp)) as Record<string, unknown>
  if (expiry !== null) {
    for (const name of ENDS) if (name in data) data[name] = new Date(expiry).toISOString()
  }
  return { ...publishable(event), timestamp: new Date(happened).toISOString(), data }
}
