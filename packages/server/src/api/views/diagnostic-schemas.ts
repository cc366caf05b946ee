import { z } from '@hono/zod-openapi'
import { DATA_CLASSES, DIAGNOSTIC_SEVERITIES, MODES } from '@runbell/sdk/contract'
import { acceptedSchema } from './schemas.ts'

const text = z.string()
const time = z.string().openapi({ format: 'date-time' })
const agent = z.object({ id: text, name: text.optional(), version: text.optional() })
const severity = z.enum(DIAGNOSTIC_SEVERITIES)
const dataClass = z.enum(DATA_CLASSES)
const attributes = z.record(text, z.unknown())

const ids = {
  run_id: text.optional(),
  task_id: text.optional(),
  conversation_id: text.optional(),
  agent: agent.optional(),
  trace_id: text.optional(),
  span_id: text.optional(),
  parent_span_id: text.optional(),
  duration_ms: z.number().min(0).optional(),
  message: text.optional(),
}

/** For the document only: core reads them from bytes. */
export const diagnosticInputSchema = z
  .strictObject({
    name: text,
    severity: severity.default('info').optional(),
    timestamp: time.optional(),
    mode: z.enum(MODES).optional(),
    tenant_id: text.optional(),
    ...ids,
    message_class: dataClass.optional(),
    attributes: attributes.optional(),
    data_classes: z.record(text, dataClass).optional().openapi({ description: 'The class of attributes, by name.' }),
  })
  .openapi('DiagnosticInput')

export const diagnosticSchema = z
  .object({
    id: text,
    name: text,
    severity,
    timestamp: time,
    recorded_at: time,
    mode: z.enum(MODES),
    tenant_id: text,
    ...ids,
    source: z.enum(['api', 'otlp_span', 'otlp_log']),
    attributes,
    truncated: z.array(text).optional(),
    withheld: z.array(dataClass).optional(),
  })
  .openapi('Diagnostic')

export const diagnosticsAcceptedSchema = z
  .object({
    results: z.array(
      z.union([
        z.object({ status: z.literal('accepted'), id: text, warnings: acceptedSchema.shape.warnings }),
        z.object({
          status: z.literal('rejected'),
          problem: z.looseObject({ code: text, status: z.int(), detail: text }),
        }),
      ]),
    ),
  })
  .openapi('DiagnosticsAccepted')
