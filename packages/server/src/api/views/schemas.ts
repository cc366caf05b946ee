import { z } from '@hono/zod-openapi'
import {
  ATTEMPT_OUTCOMES,
  ATTEMPT_TRIGGERS,
  DATA_CLASSES,
  DELIVERY_REASONS,
  DELIVERY_STATUSES,
  ENDPOINT_KINDS,
  ENDPOINT_STATUSES,
  MODES,
  SCOPES,
  SECRET_STATUSES,
  SIGNING_SCHEMES,
  WARNING_CODES,
  type Accepted,
  type ApiKeyView,
  type AttemptView,
  type DeliveryView,
  type EndpointTest,
  type EndpointView,
  type Envelope,
  type EventView,
  type ReplayAccepted,
} from '@runbell/sdk/contract'

/** The document is made without `exactOptional`: there, what may be missing may also be `undefined`. */
type Undefinable<Of> = Of extends object
  ? {
      [Key in keyof Of]: Partial<Pick<Of, Key>> extends Pick<Of, Key>
        ? Undefinable<Of[Key]> | undefined
        : Undefinable<Of[Key]>
    }
  : Of

/** The shapes of the contract as schemas, for the OpenAPI document; the compiler holds them to the contract's types. */

const time = z.string().openapi({ format: 'date-time' })
const sha256 = z.string().openapi({ description: 'SHA-256 of the exact bytes, hex' })
const mode = z.enum(MODES)
const count = z.int()

export const warningSchema = z.object({ code: z.enum(WARNING_CODES), path: z.string(), message: z.string() })

export const acceptedSchema = z
  .object({
    event_id: z.string(),
    sequence: z.int().nullable(),
    duplicate: z.boolean(),
    deliveries: count,
    warnings: z.array(warningSchema),
  })
  .openapi('Accepted') satisfies z.ZodType<Accepted>

export const batchAcceptedSchema = z
  .object({
    results: z.array(
      z.object({
        event_id: z.string().nullable(),
        status: z.enum(['accepted', 'duplicate', 'rejected']),
        sequence: z.int().nullable().optional(),
        deliveries: count.optional(),
        warnings: acceptedSchema.shape.warnings.optional(),
        problem: z.looseObject({ code: z.string(), status: z.int(), detail: z.string() }).optional(),
      }),
    ),
  })
  .openapi('BatchAccepted')

const envelope = {
  event_id: z.string(),
  type: z.string(),
  schema_version: z.int(),
  timestamp: time,
  recorded_at: time,
  expires_at: time.optional(),
  mode,
  tenant_id: z.string(),
  run_id: z.string().optional(),
  task_id: z.string().optional(),
  conversation_id: z.string().optional(),
  sequence: z.int().optional(),
  agent: z.object({ id: z.string(), name: z.string().optional(), version: z.string().optional() }),
  trace_id: z.string().optional(),
  causation_id: z.string().optional(),
  withheld: z.array(z.enum(DATA_CLASSES)).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  data: z.unknown(),
}

/** What an endpoint receives, whatever its type. */
export const webhookEventSchema = z.object(envelope).openapi('WebhookEvent') satisfies z.ZodType<Undefinable<Envelope>>

export const eventSchema = z
  .object({
    ...envelope,
    body_sha256: sha256.nullable(),
    erased_at: z.string().optional().openapi({
      format: 'date-time',
      description: 'When its payload was erased: data is null then, and what else was sent is gone.',
    }),
    payload_expired_at: z.string().optional().openapi({
      format: 'date-time',
      description: 'When its payload was removed because payloads are kept no longer: data is null then.',
    }),
    deliveries: z.object({
      total: count,
      delivered: count,
      pending: count,
      dead_lettered: count,
      cancelled: count,
      expired: count,
    }),
  })
  .openapi('Event') satisfies z.ZodType<Undefinable<EventView>>

export const deliverySchema = z
  .object({
    id: z.string(),
    event_id: z.string(),
    event_type: z.string(),
    run_id: z.string().nullable(),
    endpoint_id: z.string(),
    tenant_id: z.string(),
    mode,
    status: z.enum(DELIVERY_STATUSES),
    reason: z.enum(DELIVERY_REASONS).nullable(),
    attempt_count: count,
    next_attempt_at: time.nullable(),
    waits_behind: z.string().nullable(),
    body_sha256: sha256.nullable(),
    created_at: time,
    updated_at: time,
  })
  .openapi('Delivery') satisfies z.ZodType<DeliveryView>

export const deliveryDetailSchema = deliverySchema
  .extend({ schedule: z.object({ retry_schedule: z.array(z.int()), max_attempts: count }).nullable() })
  .openapi('DeliveryDetail')

export const deadLetterSchema = deliverySchema
  .extend({
    error_code: z.enum(ATTEMPT_OUTCOMES).nullable(),
    discarded_at: time.nullable(),
    note: z.string().nullable(),
  })
  .openapi('DeadLetter')

export const deadLetterGroupSchema = z
  .object({
    endpoint_id: z.string().optional(),
    error_code: z.enum(ATTEMPT_OUTCOMES).nullable().optional(),
    type: z.string().optional(),
    count,
    first_at: time,
    last_at: time,
    example_delivery_id: z.string(),
  })
  .openapi('DeadLetterGroup')

export const replayAcceptedSchema = z
  .object({ deliveries: z.array(z.object({ id: z.string(), status: z.enum(DELIVERY_STATUSES) })) })
  .openapi('ReplayAccepted') satisfies z.ZodType<ReplayAccepted>

const phase = z.number().nullable()

export const attemptSchema = z
  .object({
    id: z.string(),
    delivery_id: z.string(),
    number: count,
    trigger: z.enum(ATTEMPT_TRIGGERS),
    started_at: time,
    duration_ms: z.number().nullable(),
    outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
    status_code: z.int().nullable(),
    request_headers: z.record(z.string(), z.string()),
    response_headers: z.record(z.string(), z.string()),
    response_excerpt: z
      .union([
        z.object({ text: z.string(), truncated: z.boolean() }),
        z.object({ base64: z.string(), truncated: z.boolean() }),
      ])
      .nullable(),
    phases_ms: z.object({ dns: phase, connect: phase, tls: phase, wait: phase }),
    diagnosis: z.object({ title: z.string(), fix: z.string(), url: z.string() }).nullable(),
  })
  .openapi('Attempt') satisfies z.ZodType<AttemptView>

export const endpointTestSchema = z
  .object({
    test: z.literal(true),
    endpoint_id: z.string(),
    event_id: z.string().openapi({ description: 'evt_test_…, new each time.' }),
    type: z.string(),
    subscribed: z.boolean().openapi({ description: 'Whether the endpoint gets events of this type at all.' }),
    body: z.string().openapi({ description: 'The text that was sent: signed, cut and rendered as for any event.' }),
    attempt: attemptSchema.openapi({ description: 'It is not on record: its ids lead nowhere.' }),
  })
  .openapi('EndpointTest') satisfies z.ZodType<EndpointTest>

export const endpointSchema = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    mode,
    kind: z.enum(ENDPOINT_KINDS),
    url: z.string().nullable(),
    description: z.string(),
    event_types: z.array(z.string()),
    filter: z.unknown(),
    data_classes: z.array(z.enum(DATA_CLASSES)),
    schema_versions: z.record(z.string(), z.int()),
    format: z.enum(['runbell', 'thin', 'cloudevents', 'mcp_event']),
    headers: z.record(z.string(), z.string()).openapi({ description: 'Values are write-only and read as •••.' }),
    timeout_ms: count,
    max_in_flight: count,
    rate_limit: count.nullable(),
    ordering: z.enum(['none', 'run']),
    ordering_on_dead_letter: z.enum(['skip', 'hold']),
    retry_schedule: z.array(z.int()),
    signing: z.enum(SIGNING_SCHEMES),
    header_prefix: z.string().nullable(),
    status: z.enum(ENDPOINT_STATUSES),
    disabled_reason: z.string().nullable(),
    created_at: time,
    updated_at: time,
  })
  .openapi('Endpoint') satisfies z.ZodType<EndpointView>

/** Present once, in the answer that made it. */
const once = {
  secret: z.string().optional().openapi({ description: 'HMAC secret, shown this once.' }),
  public_key: z.string().optional().openapi({ description: 'ed25519 public key.' }),
}

export const endpointCreatedSchema = endpointSchema
  .extend({
    ...once,
    warnings: z.array(warningSchema).optional().openapi({ description: 'What its filter names and no type has.' }),
  })
  .openapi('EndpointCreated')

export const secretSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['hmac', 'ed25519']),
    status: z.enum(SECRET_STATUSES),
    created_at: time,
    expires_at: time.nullable(),
    public_key: once.public_key,
  })
  .openapi('Secret')

export const secretCreatedSchema = secretSchema.extend(once).openapi('SecretCreated')

export const apiKeySchema = z
  .object({
    id: z.string(),
    mode,
    scopes: z.array(z.enum(SCOPES)),
    data_classes: z.array(z.enum(DATA_CLASSES)),
    tenant_id: z.string().nullable(),
    expires_at: time.nullable(),
    last_used_at: time.nullable(),
    created_at: time,
  })
  .openapi('ApiKey') satisfies z.ZodType<ApiKeyView>

export const apiKeyCreatedSchema = apiKeySchema.extend({ key: z.string() }).openapi('ApiKeyCreated')

/** A page of these. */
export function pageOf(item: z.ZodType): z.ZodType {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().openapi({
      description: 'null: there is nothing more. A page may be short, or empty, and have one all the same.',
    }),
  })
}
