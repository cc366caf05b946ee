import type { DataClass, Mode } from './vocabulary.ts'

/** Who acted. */
export interface Agent {
  /** 1 to 255 characters. */
  id: string
  name?: string
  version?: string
}

/** What an endpoint receives in the default format `runbell`. Key order in the bytes is `ENVELOPE_KEYS`. */
export interface Envelope<Type extends string = string, Data = unknown> {
  /** Equals the `webhook-id` header; the same on every attempt and replay. */
  event_id: string
  type: Type
  /** Per type; additive change keeps it. */
  schema_version: number
  /** When the fact happened: RFC 3339, milliseconds, `Z`. */
  timestamp: string
  /** When Runbell accepted it; fixed once. */
  recorded_at: string
  /** After this no attempt is started; the delivery ends `expired`. */
  expires_at?: string
  mode: Mode
  tenant_id: string
  /** The producer's own id of the run; stable over pause, resume and process change. */
  run_id?: string
  task_id?: string
  conversation_id?: string
  /** From 1, strictly rising per (tenant, mode, run). */
  sequence?: number
  agent: Agent
  trace_id?: string
  causation_id?: string
  /** The data classes that were cut for this endpoint, sorted. Absent: nothing was cut. */
  withheld?: DataClass[]
  metadata?: Record<string, string>
  data: Data
}

/** The order of keys in every body of format `runbell`; `data` is always last. */
export const ENVELOPE_KEYS = [
  'event_id',
  'type',
  'schema_version',
  'timestamp',
  'recorded_at',
  'expires_at',
  'mode',
  'tenant_id',
  'run_id',
  'task_id',
  'conversation_id',
  'sequence',
  'agent',
  'trace_id',
  'causation_id',
  'withheld',
  'metadata',
  'data',
] as const satisfies readonly (keyof Envelope)[]

/** What a producer posts to `POST /v1/events`. */
export interface PublishInput<Type extends string = string, Data = unknown> {
  type: Type
  data: Data
  /** Made by Runbell when absent. Once-only facts should bring their own. */
  event_id?: string
  /** When the fact happened; the time of acceptance when absent. RFC 3339. */
  timestamp?: string
  /** @default 1 */
  schema_version?: number
  /** @default "default" */
  tenant_id?: string
  run_id?: string
  task_id?: string
  conversation_id?: string
  agent: Agent
  trace_id?: string
  causation_id?: string
  /** At most 20 pairs of at most 256 characters. */
  metadata?: Record<string, string>
  expires_at?: string
  mode?: Mode
  /** In a batch, where there is no `event_id`: what the `Idempotency-Key` header is for one event. */
  idempotency_key?: string
}
