import type { Agent, Mode, ProblemCode, ProblemDetail, Warning } from '@runbell/sdk/contract'
import type { LifecycleFact } from './catalog/lifecycle-fact.ts'
import type { ClassMask } from './data-classes.ts'
import type { BodySource } from './event-bodies.ts'
import type { PreparedEnvelope } from './render.ts'

/** An event that has passed every check outside the transaction, before it is matched with endpoints. */
export interface CheckedEvent {
  tenantId: string
  mode: Mode
  eventId: string
  type: string
  schemaVersion: number
  /** When the fact happened, ms. */
  timestamp: number
  runId: string | null
  taskId: string | null
  agent: Agent
  /** `expires_at` of the envelope, ms. */
  expiresAt: number | null
  /** After this no attempt is started (details 20), ms. */
  deadline: number | null
  /** Repeating it with the same bytes gives the first answer again; only where the producer sent no `event_id`. */
  idempotencyKey: string | null
  /** The received bytes; `data` is at `dataStart` to `dataEnd`. */
  source: Uint8Array
  dataStart: number
  dataEnd: number
  /** The envelope of the uncut body. */
  envelope: PreparedEnvelope
  /** The data classes that values of the uncut body have; those of members the schema does not know are not among them. */
  classes: ClassMask
  /** `null`: no lifecycle rule is about events of this type. */
  lifecycle: LifecycleFact | null
}

/** Why a request is refused, as a value: the API turns it into problem+json. */
export interface Refusal {
  code: ProblemCode
  detail: string
  errors: ProblemDetail[]
  /** One sentence: what to do instead. */
  fix: string
}

export type CheckResult =
  | { ok: true; event: CheckedEvent; warnings: Warning[]; bodies: BodySource }
  | { ok: false; refusal: Refusal }
