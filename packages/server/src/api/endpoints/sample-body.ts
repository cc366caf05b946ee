import { Buffer } from 'node:buffer'
import { wantOf } from '../../accept/matcher.ts'
import { unknownType } from '../../core/check-type.ts'
import { DELIVERABLE } from '../../core/data-classes.ts'
import { renderStored } from '../../core/stored-event.ts'
import type { EndpointRow } from '../../store/rows.ts'
import { sampleEvent } from '../catalog/sample-event.ts'
import { typeView } from '../catalog/type-view.ts'
import type { ApiContext } from '../context.ts'
import { Refused } from '../http/problem.ts'
import { timeView } from '../views/time.ts'

/**
 * The sample of a type as an endpoint receives it: cut to its grants, in its format and its pinned version. It says `mode: test`
 * whatever the endpoint's mode is, so that no receiver takes it for a fact.
 * @param now ms
 * @throws Refused `unknown_event_type`
 */
export function sampleBody(
  { catalogs, publicUrl }: Pick<ApiContext, 'catalogs' | 'publicUrl'>,
  endpoint: EndpointRow,
  { type, eventId, now }: { type: string; eventId: string; now: number },
): Uint8Array {
  const catalog = catalogs.of(endpoint.mode)
  const view = typeView(catalogs, endpoint.mode, type, publicUrl)
  const contract = catalog.find(type)
  const sample = view === null ? null : sampleEvent(view, 'test', undefined, now)
  if (contract === null || sample === null) throw new Refused(unknownType(type, catalog))
  // Samples are objects: a test holds each of them against its schema.
  const data = sample.data as Record<string, unknown>
  const age = now - Date.parse(sample.timestamp)
  const event = {
    ...sample,
    event_id: eventId,
    timestamp: timeView(now),
    recorded_at: timeView(now),
    tenant_id: endpoint.tenantId === '*' ? 'default' : endpoint.tenantId,
    data: { ...data, ...later(data['expires_at'], age) },
  }
  const body = Buffer.from(JSON.stringify(event), 'utf8')
  const { schema_version: schemaVersion, sequence = null } = event
  const stored = { body, classes: DELIVERABLE, schemaVersion, recordedAt: now, sequence }
  const rendered = renderStored(stored, wantOf(endpoint, type), contract, publicUrl)
  return rendered === null ? body : Buffer.concat([Buffer.from(rendered.prefix, 'utf8'), rendered.rest])
}

/** What a sample asks for must not have run out long ago. */
function later(expiresAt: unknown, ms: number): { expires_at?: string } {
  const at = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN
  return Number.isNaN(at) ? {} : { expires_at: timeView(at + ms) }
}
