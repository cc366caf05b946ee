import type {
  AttemptOutcomeName,
  AttemptTrigger,
  DataClass,
  DeliveryReason,
  DeliveryStatus,
  DiagnosticSeverity,
  EndpointKind,
  EndpointStatus,
  Mode,
  RunStatus,
  Scope,
  SecretStatus,
  SigningScheme,
  WarningCode,
} from './vocabulary.ts'
import type { Agent, Envelope } from './envelope.ts'
import type { Problem } from './problems.ts'

/** Shapes of the HTTP API. Fields may be added, never renamed. Times are RFC 3339. */

export interface Warning {
  code: WarningCode
  /** JSON Pointer into the published event. */
  path: string
  message: string
}

/** `202` of `POST /v1/events`. */
export interface Accepted {
  event_id: string
  sequence: number | null
  /** The same bytes were accepted before; this is the first answer again. */
  duplicate: boolean
  /** How many deliveries the event has. */
  deliveries: number
  warnings: Warning[]
}

export type BatchResult =
  | (Omit<Accepted, 'duplicate'> & { status: 'accepted' | 'duplicate' })
  | { event_id: string | null; status: 'rejected'; problem: Problem }

export interface BatchAccepted {
  results: BatchResult[]
}

export interface Page<Item> {
  data: Item[]
  /** Opaque; `null` on the last page. */
  next_cursor: string | null
}

export interface DeliveryCounts {
  total: number
  delivered: number
  pending: number
  dead_lettered: number
  cancelled: number
  expired: number
}

export interface EventView extends Envelope {
  /** SHA-256 (hex) of the uncut body in format `runbell`; `null` for a key that may not see all data classes. */
  body_sha256: string | null
  /** When its payload was erased: `data` is `null` then, and what else was sent is gone. */
  erased_at?: string
  deliveries: DeliveryCounts
}

export interface DeliveryView {
  id: string
  event_id: string
  event_type: string
  run_id: string | null
  endpoint_id: string
  tenant_id: string
  mode: Mode
  status: DeliveryStatus
  reason: DeliveryReason | null
  attempt_count: number
  next_attempt_at: string | null
  /** At an ordered endpoint: the id of the delivery that is first in its run, while this one waits for its turn. */
  waits_behind: string | null
  /** SHA-256 (hex) of the bytes every attempt sends; `null` for a key that may not see all data classes in them. */
  body_sha256: string | null
  created_at: string
  updated_at: string
}

export interface AttemptView {
  id: string
  delivery_id: string
  number: number
  trigger: AttemptTrigger
  started_at: string
  /** `null` while it is in flight and after a crash. */
  duration_ms: number | null
  /** `null` while it is in flight. */
  outcome: AttemptOutcomeName | null
  status_code: number | null
  /** Custom header values are masked. */
  request_headers: Record<string, string>
  response_headers: Record<string, string>
  response_excerpt: (({ text: string } | { base64: string }) & { truncated: boolean }) | null
  phases_ms: { dns: number | null; connect: number | null; tls: number | null; wait: number | null }
  diagnosis: { title: string; fix: string; url: string } | null
}

/** What came of sending a sample to an endpoint (`POST /v1/endpoints/{id}/test`). */
export interface EndpointTest {
  /** So that nobody takes it for a delivery. */
  test: true
  endpoint_id: string
  /** `evt_test_…`, new each time, so that a receiver does not drop it as a duplicate. */
  event_id: string
  type: string
  /** Whether the endpoint gets events of this type at all. */
  subscribed: boolean
  /** The text that was sent: signed, cut and rendered as for any event. */
  body: string
  /** It is not on record: its ids lead nowhere. */
  attempt: AttemptView
}

export interface EndpointView {
  id: string
  tenant_id: string
  mode: Mode
  kind: EndpointKind
  url: string | null
  description: string
  event_types: string[]
  filter: unknown
  data_classes: DataClass[]
  schema_versions: Record<string, number>
  format: 'runbell' | 'thin' | 'cloudevents' | 'mcp_event'
  /** Names only mean something here: values are write-only and read as `•••`. */
  headers: Record<string, string>
  timeout_ms: number
  max_in_flight: number
  /** Attempts started per second at most; `null`: no limit. */
  rate_limit: number | null
  ordering: 'none' | 'run'
  /** Of an ordered endpoint: what a dead letter does to what waits behind it in its run. */
  ordering_on_dead_letter: 'skip' | 'hold'
  /** Delays after the first attempt, in milliseconds. */
  retry_schedule: number[]
  signing: SigningScheme
  /** `acme` sends `acme-id`, `acme-timestamp` and `acme-signature` besides the standard headers. */
  header_prefix: string | null
  status: EndpointStatus
  disabled_reason: string | null
  created_at: string
  updated_at: string
}

export interface SecretView {
  id: string
  status: SecretStatus
  created_at: string
  expires_at: string | null
}

export interface ApiKeyView {
  id: string
  mode: Mode
  scopes: Scope[]
  data_classes: DataClass[]
  tenant_id: string | null
  expires_at: string | null
  last_used_at: string | null
  created_at: string
}

export interface RunView {
  run_id: string
  tenant_id: string
  mode: Mode
  /** The agent of its first event. */
  agent_id: string | null
  task_id: string | null
  /** The run that started it. */
  parent_run_id: string | null
  /** `null`: no event of `agent.run.*` has come. */
  status: RunStatus | null
  /** Events accepted so far, also those that are kept no longer. */
  event_count: number
  /** Of these, those that broke the order of its lifecycle. */
  lifecycle_warnings: number
  /** When its first event was recorded. */
  created_at: string
  /** When its latest event was recorded. */
  updated_at: string
  /** When the event was recorded that ended it. */
  ended_at: string | null
}

export interface RunDetailView extends RunView {
  /** What it waits for, such as `approval`. */
  waiting_for: string | null
  /** The latest error of the run or of one of its tool calls, as far as the key may see it. */
  last_error: { event_id: string; type: string; recorded_at: string; error: unknown } | null
  /** `open`: begun and not ended. */
  tool_calls: { total: number; open: number }
  approvals: { total: number; open: number }
  deliveries: DeliveryCounts
  /** `failing`: there are dead letters or expired deliveries; `pending`: some wait; `ok`: neither. */
  delivery_health: 'ok' | 'pending' | 'failing'
}

export interface TimelineRowView {
  kind: 'run' | 'tool_call' | 'approval' | 'message' | 'event' | 'child_run'
  id: string
  /** The tool's name, or what it is. */
  title: string
  status: string | null
  started_at: string | null
  ended_at: string | null
  /** Which end of it never came. */
  missing: 'start' | 'end' | null
  events: {
    event_id: string
    type: string
    sequence: number
    /** `null`: its payload is gone. */
    timestamp: string | null
    recorded_at: string
    status: string | null
    deliveries: DeliveryCounts
  }[]
}

export interface TimelineView {
  run: RunDetailView
  rows: TimelineRowView[]
  /** Sequences whose events are kept no longer. */
  gaps: { from: number; to: number }[]
  /** The events after these; `null`: there are no more. */
  next_cursor: string | null
}

export interface ReplayAccepted {
  deliveries: { id: string; status: DeliveryStatus }[]
}

/** A log record about a run, as the reader's key may see it. */
export interface DiagnosticView {
  /** `diag_…`. */
  id: string
  name: string
  severity: DiagnosticSeverity
  timestamp: string
  recorded_at: string
  mode: Mode
  tenant_id: string
  run_id?: string
  task_id?: string
  conversation_id?: string
  agent?: Agent
  trace_id?: string
  span_id?: string
  parent_span_id?: string
  duration_ms?: number
  source: 'api' | 'otlp_span' | 'otlp_log'
  message?: string
  attributes: Record<string, unknown>
  /** Attributes of which something was cut off, or all of it. */
  truncated?: string[]
  /** The classes that the key does not hold and something of the record has. */
  withheld?: DataClass[]
}

export type DiagnosticResult =
  | { status: 'accepted'; id: string; warnings: Warning[] }
  | { status: 'rejected'; problem: Problem }

/** `202` of `POST /v1/diagnostics`, in the order they were sent. */
export interface DiagnosticsAccepted {
  results: DiagnosticResult[]
}

/** `200` of `POST /v1/diagnostics/erase`. */
export interface DiagnosticsErased {
  run_id: string
  erased: number
}

/** Which deliveries a bulk replay takes. */
export interface BulkReplayFilter {
  endpoint_id?: string
  /** Of a key that is bound to no tenant; without it all tenants. */
  tenant_id?: string
  /** Type globs. */
  type?: string[]
  /** Of the deliveries; with `to_endpoint_id` there is none. @default ['dead_lettered'] */
  status?: Exclude<DeliveryStatus, 'pending'>[]
  /** How the latest attempt ended. */
  error_code?: AttemptOutcomeName
  run_id?: string
  /** Created at or after; with `to_endpoint_id` of events: recorded. */
  since?: string
  /** Created before. */
  until?: string
}

/** Why something that was matched was not replayed. */
export interface ReplaySkips {
  /** The endpoint has been deleted. */
  endpoint_deleted: number
  /** The payload was erased, or is older than payloads are kept. */
  payload_gone: number
  /** The endpoint may no longer receive what would be sent. */
  policy_changed: number
  /** With `to_endpoint_id`: the endpoint has a delivery of the event already. */
  already_there: number
  /** It has changed since it was matched: somebody replayed or discarded it, or it is not kept any more. */
  changed: number
}

interface Matched {
  /** Skipped ones included. */
  matched: number
  /** The largest 100, largest first. */
  by_endpoint: { endpoint_id: string; count: number }[]
  by_type: { type: string; count: number }[]
}

/** `200` of `POST /v1/replays` with `dry_run`: what a replay would do now. */
export interface ReplayPreview extends Matched {
  dry_run: true
  /** Of the matched: what would be sent again. */
  replayable: number
  skipped: ReplaySkips
}

/** A bulk replay. */
export interface BulkReplayView extends Matched {
  id: string
  mode: Mode
  tenant_id: string | null
  status: 'running' | 'completed' | 'cancelled'
  filter: BulkReplayFilter
  /** It makes new deliveries for this endpoint. */
  to_endpoint_id: string | null
  rate_per_second: number
  /** Deliveries that were reopened or made so far. */
  replayed: number
  skipped: ReplaySkips
  /** How the replayed ones have ended since; `removed`: retention was faster than the count. */
  outcomes: {
    pending: number
    delivered: number
    dead_lettered: number
    cancelled: number
    expired: number
    removed: number
  }
  created_at: string
  updated_at: string
  ended_at: string | null
}
