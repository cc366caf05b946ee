import { ENVELOPE_KEYS, type Agent, type Envelope } from '../../contract/envelope.ts'
import type { Mode } from '../../contract/vocabulary.ts'
import type { DataOfFamily } from '../event-type.ts'

/** An id as it is in this mode: `run_7x` in live mode, `run_test_7x` in test mode. */
export type IdOfMode = (liveId: string) => string

type Joins = 'run_id' | 'task_id' | 'conversation_id' | 'sequence' | 'trace_id' | 'metadata' | 'agent'

/** What an event of the story adds to what all of them have. */
export interface SampleEvent<Data> extends Partial<Pick<Envelope, Joins>> {
  /** Its place in the story: event ids count it. */
  number: number
  /** The place of the event that led to it. */
  causedBy?: number
  timestamp: string
  data: Data
}

export type Sample<Data = unknown> = (id: IdOfMode) => SampleEvent<Data>

/** One sample for every type of a family: a type without one does not compile. */
export type SamplesOf<Family> = { readonly [Type in keyof Family]: Sample<DataOfFamily<Family>[Type]> }

/** How long after the fact it was accepted, in the story. */
const ACCEPTED_AFTER_MS = 44

const REFUND_AGENT: Agent = { id: 'refund-agent', name: 'Refund agent', version: '2026-11-02' }

/** The event that stands at this place in the story. */
export function storyEventId(number: number): string {
  return `evt_01m84s5378efqbtmfyyyta7z${String(number).padStart(2, '0')}`
}

export function sampleEvent(type: string, sample: Sample, mode: Mode): Envelope {
  const id: IdOfMode = (liveId) => (mode === 'test' ? liveId.replace('_', '_test_') : liveId)
  const { number, causedBy, timestamp, ...rest } = sample(id)
  const envelope: Envelope = {
    event_id: id(storyEventId(number)),
    type,
    schema_version: 1,
    timestamp,
    recorded_at: new Date(Date.parse(timestamp) + ACCEPTED_AFTER_MS).toISOString(),
    mode,
    tenant_id: 'acme',
    agent: REFUND_AGENT,
    ...rest,
    ...(causedBy === undefined ? {} : { causation_id: id(storyEventId(causedBy)) }),
  }
  const keys = ENVELOPE_KEYS.filter((key) => key in envelope)
  return Object.fromEntries(keys.map((key) => [key, envelope[key]])) as unknown as Envelope
}
