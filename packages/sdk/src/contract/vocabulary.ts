/**
 * The one vocabulary of Runbell. Code, API and docs use these words and no synonyms.
 *
 * - **event**: a fact, immutable
 * - **event type**: its name and schema versions
 * - **endpoint**: a URL with secrets, subscription, grants and policy
 * - **delivery**: one event for one endpoint
 * - **attempt**: one HTTP request of a delivery
 * - **dead letter**: a delivery whose retries are used up
 * - **replay**: sending a delivery's same bytes again on request
 * - **tenant**: a customer of the producer; everything is keyed by it
 * - **mode**: `live` or `test`
 * - **diagnostic**: a log record about a run that never reaches an endpoint
 * - **data class**: the sensitivity of a field
 * - **grant**: a data class an endpoint may receive
 */

/** Live and test mode never see each other; the API key decides which one a request is in. */
export const MODES = ['live', 'test'] as const
export type Mode = (typeof MODES)[number]

/** A delivery is `pending` until it ends in exactly one of the other four (guarantee G6). */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead_lettered', 'cancelled', 'expired'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

/** Why a delivery has the status it has; `null` while nothing needs explaining. */
export const DELIVERY_REASONS = [
  'attempts_exhausted',
  'gone',
  'quarantined',
  'endpoint_deleted',
  'endpoint_disabled',
  'requested',
  'erased',
  'policy_changed',
  'deadline_passed',
  'held_past_retention',
  'listener_gone',
  'not_pulled',
] as const
export type DeliveryReason = (typeof DELIVERY_REASONS)[number]

/** How one attempt ended. `unknown`: the process stopped before the outcome was on record. */
export const ATTEMPT_OUTCOMES = [
  'delivered',
  'http_error',
  'redirect',
  'timeout',
  'dns_failed',
  'connect_failed',
  'tls_failed',
  'blocked_address',
  'protocol_error',
  'unknown',
] as const
export type AttemptOutcomeName = (typeof ATTEMPT_OUTCOMES)[number]

/** What started an attempt. */
export const ATTEMPT_TRIGGERS = ['scheduled', 'manual', 'test'] as const
export type AttemptTrigger = (typeof ATTEMPT_TRIGGERS)[number]

/** The state of a run (contract, "Status"). Readers take values they do not know for ones that are not final. */
export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'retrying',
  'completed',
  'partially_completed',
  'failed',
  'timed_out',
  'rejected',
  'cancelled',
  'unknown',
] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

/** The state of an approval (contract, "Status"). */
export const APPROVAL_STATES = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const
export type ApprovalState = (typeof APPROVAL_STATES)[number]

/** What somebody who decides through Runbell can say. */
export const APPROVAL_DECISIONS = ['approve', 'deny', 'cancel'] as const
export type DecisionName = (typeof APPROVAL_DECISIONS)[number]

export const ENDPOINT_STATUSES = ['enabled', 'paused', 'disabled'] as const
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number]

export const ENDPOINT_KINDS = ['http', 'pull', 'relay'] as const
export type EndpointKind = (typeof ENDPOINT_KINDS)[number]

/** Which signatures an endpoint's deliveries carry: HMAC-SHA256 (`v1`), ed25519 (`v1a`), or both. */
export const SIGNING_SCHEMES = ['hmac', 'ed25519', 'both'] as const
export type SigningScheme = (typeof SIGNING_SCHEMES)[number]

/** How much a diagnostic matters, least first. */
export const DIAGNOSTIC_SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type DiagnosticSeverity = (typeof DIAGNOSTIC_SEVERITIES)[number]

export const SECRET_STATUSES = ['active', 'retiring'] as const
export type SecretStatus = (typeof SECRET_STATUSES)[number]

export const SCOPES = ['publish', 'read', 'replay', 'manage', 'decide', 'admin'] as const
/** What an API key may do. `admin` is all of them; `decide` is never implied by another. */
export type Scope = (typeof SCOPES)[number]

export const DATA_CLASSES = [
  'public',
  'operational',
  'summary',
  'personal',
  'prompt',
  'message',
  'document',
  'tool_input',
  'tool_output',
  'memory',
  'credential',
] as const
export type DataClass = (typeof DATA_CLASSES)[number]

/** Classes that always travel; every other one needs a grant, and `credential` is never deliverable. */
export const DEFAULT_DATA_CLASSES: readonly DataClass[] = ['public', 'summary']

export const WARNING_CODES = [
  'field_dropped',
  'credential_masked',
  'schema_mismatch',
  'version_deprecated',
  'lifecycle',
  'large_body',
  'filter_field',
] as const
export type WarningCode = (typeof WARNING_CODES)[number]

/** What the audit log knows of. */
export const AUDIT_ACTIONS = [
  ...['endpoint.created', 'endpoint.updated', 'endpoint.deleted'],
  ...['endpoint.paused', 'endpoint.resumed', 'endpoint.enabled', 'endpoint.disabled', 'endpoint.tested'],
  ...['secret.added', 'secret.revoked'],
  ...['api_key.created', 'api_key.revoked', 'tenant.updated', 'event_type.changed'],
  ...['event.replayed', 'event.erased', 'delivery.replayed', 'delivery.cancelled', 'dead_letter.discarded'],
  ...['events.exported', 'replay.created', 'replay.cancelled'],
  ...['approval.decided', 'payload.viewed', 'audit.pruned', 'master_key.rotated', 'backup.restored'],
  ...['diagnostics.erased'],
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]
