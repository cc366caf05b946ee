import { z } from '@hono/zod-openapi'
import type { AuditAction, EndpointStatus } from '@runbell/sdk/contract'
import { changeEndpoint } from '../endpoints/change-endpoint.ts'
import { jsonAnswer } from '../http/answer.ts'
import { refused } from '../http/problem.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'
import { endpointView } from '../views/endpoint-view.ts'
import { endpointSchema } from '../views/schemas.ts'

/**
 * What may become of an endpoint by request (details 15):
 *
 *     enabled ──pause──▶ paused        enabled, paused ──disable──▶ disabled
 *        ▲────resume───────┘               ▲──────────enable───────────┘
 */
interface Step {
  name: 'pause' | 'resume' | 'enable' | 'disable'
  action: AuditAction
  summary: string
  from: readonly EndpointStatus[]
  to: EndpointStatus
  reason: string | null
  /** What to do from another state. */
  otherwise: string
}

const STEPS: readonly Step[] = [
  {
    name: 'pause',
    action: 'endpoint.paused',
    summary: 'Pauses an endpoint: it matches events, and its deliveries are held',
    from: ['enabled'],
    to: 'paused',
    reason: null,
    otherwise: 'Enable the endpoint first.',
  },
  {
    name: 'resume',
    action: 'endpoint.resumed',
    summary: 'Resumes a paused endpoint: what was held is sent',
    from: ['paused'],
    to: 'enabled',
    reason: null,
    otherwise: 'A disabled endpoint is enabled, not resumed.',
  },
  {
    name: 'enable',
    action: 'endpoint.enabled',
    summary: 'Enables a disabled endpoint',
    from: ['disabled'],
    to: 'enabled',
    reason: null,
    otherwise: 'A paused endpoint is resumed, not enabled.',
  },
  {
    name: 'disable',
    action: 'endpoint.disabled',
    summary: 'Disables an endpoint: it matches no new events; what is pending ends after 7 days',
    from: ['enabled', 'paused'],
    to: 'disabled',
    reason: 'requested',
    otherwise: 'The endpoint is disabled already.',
  },
]

function statusRoute({ name, action, summary, from, to, reason, otherwise }: Step): Route {
  return defineRoute({
    method: 'post',
    path: `/v1/endpoints/{endpoint_id}/${name}`,
    operationId: `${name}Endpoint`,
    summary,
    scopes: ['manage'],
    query: tenantQuerySchema,
    body: z.strictObject({}),
    bodyOptional: true,
    answers: { 200: { description: 'The endpoint', schema: endpointSchema } },
    problems: ['not_found', 'state_conflict'],
    async handle(call) {
      const endpoint = await findEndpoint(call)
      // Asking again for the state it has is fine: the answer to the first request may have been lost.
      if (endpoint.status === to) return jsonAnswer(200, endpointView(endpoint))
      if (!from.includes(endpoint.status)) {
        throw refused('state_conflict', `The endpoint is ${endpoint.status}, so it cannot be ${to}.`, otherwise)
      }
      const changed = await changeEndpoint(call, endpoint, { kind: 'status', status: to, reason }, { action })
      return jsonAnswer(200, endpointView(changed))
    },
  })
}

export const ENDPOINT_STATUS_ROUTES: readonly Route[] = STEPS.map(statusRoute)
