import { z } from '@hono/zod-openapi'
import { DATA_CLASSES, ENDPOINT_KINDS, SIGNING_SCHEMES, type DataClass } from '@runbell/sdk/contract'
import { ALWAYS_GRANTED, classNames, maskOf } from '../../core/data-classes.ts'
import { scheduleProblem } from '../../core/schedule.ts'
import { glob, tenantId } from '../read/filters.ts'
import { headerProblems, prefixedHeaders } from './header-rules.ts'

/** Globs an endpoint may subscribe with. */
const MAX_GLOBS = 100
/** Versions an endpoint may ask for by name. */
const MAX_PINS = 1000
const NOT_YET = 'is not available yet'

const retrySchedule = z.array(z.number()).superRefine((delays, refinement) => {
  const message = scheduleProblem(delays)
  if (message !== null) refinement.addIssue({ code: 'custom', message })
})

const grants = z
  .array(z.enum(DATA_CLASSES))
  .max(50)
  .refine((classes) => !classes.includes('credential'), 'credential is never delivered: leave it out')
  .transform((classes): DataClass[] => classNames(maskOf(classes) | ALWAYS_GRANTED))
  .openapi({
    type: 'array',
    items: { type: 'string', enum: [...DATA_CLASSES] },
    description: 'What it may receive; public and summary always travel.',
  })

/** It must not make a header that is Runbell's, or that steers the connection: what those are, `header-rules` says. */
export const headerPrefix = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}[a-z0-9]$/, 'is 2 to 64 lower-case letters, digits and dashes, such as acme')
  .refine((prefix) => headerProblems(prefixedHeaders(prefix)).length === 0, 'makes headers that Runbell sets itself')
  .openapi({
    description: 'The signature headers are sent under this prefix too: acme-id, acme-timestamp, acme-signature.',
  })

const pins = z
  .record(z.string(), z.number().int().min(1))
  .refine((versions) => Object.keys(versions).length <= MAX_PINS, `names at most ${MAX_PINS} types`)

/** Read by `endpoint-filter`, which knows the types; the form of this schema could not say what to write instead. */
export const filter = z.unknown().openapi({
  type: ['object', 'null'],
  description:
    'Conditions by field, such as {"/data/status": ["failed", "timed_out"]}, on public fields and the envelope; null: every event of the types. See docs/filters.md.',
})

/** Fields that can be changed later. Limits: guarantees.md; defaults: the server's configuration. */
const changeable = {
  url: z.string().min(1).max(2048),
  description: z.string().max(500),
  event_types: z.array(glob).max(MAX_GLOBS),
  headers: z.record(z.string(), z.string()),
  header_prefix: headerPrefix.nullable(),
  timeout_ms: z.number().int().min(1000).max(60_000),
  max_in_flight: z.number().int().min(1).max(1000),
  rate_limit: z.number().int().min(1).max(10_000).nullable(),
  ordering: z.enum(['none', 'run']).openapi({
    description:
      'run: of each run one delivery at a time, in the order of `sequence`; others wait for their turn. What waits already when this is changed goes on as it began.',
  }),
  ordering_on_dead_letter: z.enum(['skip', 'hold']).openapi({
    description:
      'Of an ordered endpoint: after a dead letter the next one goes out (skip), or waits until it is replayed or discarded (hold).',
  }),
  retry_schedule: retrySchedule,
  signing: z.enum(SIGNING_SCHEMES),
  data_classes: grants,
  schema_versions: pins.openapi({
    description:
      'Versions by type; a type that is not named is pinned to the version that is current when it subscribes.',
  }),
}

/** The body of `POST /v1/endpoints`. What is not built yet takes only the value that changes nothing. */
export const endpointInputSchema = z
  .strictObject({
    ...changeable,
    url: changeable.url.optional().openapi({ description: 'Needed for kind http, and for no other.' }),
    tenant_id: tenantId.optional(),
    kind: z.enum(ENDPOINT_KINDS).default('http'),
    description: changeable.description.default(''),
    event_types: changeable.event_types.default(['*']),
    filter: filter.default(null),
    data_classes: changeable.data_classes.default(classNames(ALWAYS_GRANTED)),
    schema_versions: changeable.schema_versions.default({}),
    format: z
      .enum(['runbell', 'thin', 'cloudevents', 'mcp_event'])
      .refine((format) => format !== 'mcp_event', NOT_YET)
      .default('runbell'),
    headers: changeable.headers.default({}),
    header_prefix: changeable.header_prefix.default(null),
    timeout_ms: changeable.timeout_ms.optional(),
    max_in_flight: changeable.max_in_flight.optional(),
    rate_limit: changeable.rate_limit.default(null),
    ordering: changeable.ordering.default('none'),
    ordering_on_dead_letter: changeable.ordering_on_dead_letter.default('skip'),
    retry_schedule: changeable.retry_schedule.optional(),
    signing: changeable.signing.default('hmac'),
  })
  .openapi('EndpointInput')

const fixed = z
  .unknown()
  .refine(() => false, 'cannot be changed; create another endpoint')
  .optional()
const readOnly = z
  .unknown()
  .refine(() => false, 'is read-only; use the routes pause, resume, enable and disable for the status')
  .optional()

/** The body of `PATCH /v1/endpoints/{id}`. */
export const endpointPatchSchema = z
  .strictObject({
    url: changeable.url.optional(),
    description: changeable.description.optional(),
    event_types: changeable.event_types.optional(),
    filter: filter.optional(),
    headers: changeable.headers.optional().openapi({
      description: 'Replaces all headers; the value ••• keeps the value a header has.',
    }),
    header_prefix: changeable.header_prefix.optional(),
    timeout_ms: changeable.timeout_ms.optional(),
    max_in_flight: changeable.max_in_flight.optional(),
    rate_limit: changeable.rate_limit.optional(),
    retry_schedule: changeable.retry_schedule.optional(),
    signing: changeable.signing.optional(),
    data_classes: changeable.data_classes.optional(),
    schema_versions: changeable.schema_versions.optional(),
    tenant_id: fixed,
    kind: fixed,
    format: fixed,
    ordering: changeable.ordering.optional(),
    ordering_on_dead_letter: changeable.ordering_on_dead_letter.optional(),
    id: readOnly,
    mode: readOnly,
    status: readOnly,
    disabled_reason: readOnly,
    created_at: readOnly,
    updated_at: readOnly,
  })
  .openapi('EndpointPatch')

export type EndpointInput = z.output<typeof endpointInputSchema>
export type EndpointPatchInput = z.output<typeof endpointPatchSchema>
