import { Buffer } from 'node:buffer'
import { z } from '@hono/zod-openapi'
import { maskOf } from '../../core/data-classes.ts'
import type { EndpointRow } from '../../store/rows.ts'
import { jsonAnswer } from '../http/answer.ts'
import { refused } from '../http/problem.ts'
import type { Principal } from '../access/principal.ts'
import { unseen } from '../read/cut-for-key.ts'
import { tenantQuerySchema } from '../read/filters.ts'
import { findEndpoint, type Finding } from '../read/find.ts'
import { defineRoute, type Route } from '../route.ts'

const MAX_PULLED = 100
/** Bodies of one answer, beyond the first. */
const MAX_PULLED_BYTES = 4 * 1024 * 1024

const pulledSchema = z
  .object({
    data: z.array(
      z.object({ delivery_id: z.string(), headers: z.record(z.string(), z.string()), body_base64: z.string() }),
    ),
    next_cursor: z.string().nullable().openapi({ description: 'To commit all of `data`; null: there is nothing.' }),
  })
  .openapi('PulledDeliveries')

/** A cursor is a place in the line of one endpoint, and commits nothing of another. */
const listOf = ({ id }: EndpointRow) => ({ route: 'pull', filter: id })

/** @throws Refused `not_found`, `state_conflict` */
async function findPull(call: Finding): Promise<EndpointRow> {
  const endpoint = await findEndpoint(call)
  if (endpoint.kind === 'pull') return endpoint
  throw refused('state_conflict', 'This endpoint is not of kind pull.', 'Create one with "kind": "pull".')
}

/** What is fetched is signed as it is and cannot be cut. @throws Refused `insufficient_scope` */
function checkClasses(principal: Principal, { dataClasses }: EndpointRow): void {
  if (unseen(principal, maskOf(dataClasses)) === 0) return
  const why = 'The endpoint is granted data classes that this API key may not see.'
  throw refused('insufficient_scope', why, 'Use a key with the data_classes of the endpoint.')
}

const pullDeliveries = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/pull',
  operationId: 'pullDeliveries',
  summary:
    'Fetches the oldest deliveries of a pull endpoint that are not committed, in order, signed; they come again until they are',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: z.strictObject({ limit: z.int().min(1).max(MAX_PULLED).default(50) }),
  bodyOptional: true,
  answers: { 200: { description: 'Deliveries, and the cursor that commits them', schema: pulledSchema } },
  problems: ['not_found', 'state_conflict'],
  async handle(call) {
    const { context, principal, cursors, body, now } = call
    const endpoint = await findPull(call)
    checkClasses(principal, endpoint)
    if (endpoint.status !== 'enabled') {
      throw refused('state_conflict', `The endpoint is ${endpoint.status}.`, 'Resume or enable it to fetch from it.')
    }
    const { rows, place } = await context.store.pullDeliveries({
      ...{ endpointId: endpoint.id, now, limit: body.limit, maxBytes: MAX_PULLED_BYTES },
    })
    const headers = rows.length === 0 ? [] : await context.signAll(endpoint, rows)
    if (headers === null) {
      throw refused('unavailable', 'The secrets of the endpoint cannot sign now.', 'Try again, or rotate its secrets.')
    }
    const data = rows.map(({ deliveryId, body: bytes }, index) => ({
      delivery_id: deliveryId,
      headers: Object.fromEntries(headers[index] ?? []),
      body_base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    }))
    return jsonAnswer(200, { data, next_cursor: place === null ? null : cursors.encode(listOf(endpoint), place) })
  },
})

const commitPulled = defineRoute({
  method: 'post',
  path: '/v1/endpoints/{endpoint_id}/pull/commit',
  operationId: 'commitPulled',
  summary: 'Marks what was fetched as delivered, up to this cursor; what has ended stays as it is',
  scopes: ['manage'],
  query: tenantQuerySchema,
  body: z.strictObject({ cursor: z.string().min(1).max(100) }),
  answers: { 200: { description: 'How many were marked', schema: z.object({ committed: z.int() }) } },
  problems: ['not_found', 'state_conflict', 'cursor_invalid'],
  async handle(call) {
    const { context, cursors, body, now } = call
    const endpoint = await findPull(call)
    const place = cursors.decode(listOf(endpoint), body.cursor)
    return jsonAnswer(200, { committed: await context.store.commitPulled({ endpointId: endpoint.id, place, now }) })
  },
})

export const PULL_ROUTES: readonly Route[] = [pullDeliveries, commitPulled]
