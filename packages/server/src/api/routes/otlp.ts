import { z } from '@hono/zod-openapi'
import { ingestRoute } from '../diagnostics/ingest.ts'
import { LOGS_INGEST, TRACES_INGEST } from '../diagnostics/otlp-ingest.ts'
import type { Route } from '../route.ts'

const request = z.looseObject({}).openapi({ description: 'An OTLP request, as OpenTelemetry 1.x has it.' })
const bodies = { 'application/json': request, 'application/x-protobuf': request }
const taken = z
  .looseObject({ partialSuccess: z.looseObject({ errorMessage: z.string() }).optional() })
  .openapi('OtlpTaken')
const answers = { 200: { description: 'Taken; partialSuccess says of what it was not', schema: taken } }

const postTraces = ingestRoute(TRACES_INGEST, {
  path: '/v1/otlp/v1/traces',
  operationId: 'postOtlpTraces',
  summary: 'Stores spans as diagnostics: OTLP over HTTP, JSON or protobuf, gzip',
  bodies,
  answers,
  problems: ['rate_limited', 'quota_exceeded', 'storage_full'],
})

const postLogs = ingestRoute(LOGS_INGEST, {
  path: '/v1/otlp/v1/logs',
  operationId: 'postOtlpLogs',
  summary: 'Stores log records as diagnostics: OTLP over HTTP, JSON or protobuf, gzip',
  bodies,
  answers,
  problems: ['rate_limited', 'storage_full'],
})

export const OTLP_ROUTES: readonly Route[] = [postTraces, postLogs]
