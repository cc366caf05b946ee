import { z } from '@hono/zod-openapi'
import { wantOf } from '../../accept/matcher.ts'
import { subscribes } from '../../core/match.ts'
import type { CursorPage, EndpointRow, PageRequest } from '../../store/rows.ts'
import { scopeOf, type Finding } from '../read/find.ts'

/** An endpoint that receives a type in a version. */
export const pinnedSchema = z
  .object({
    endpoint_id: z.string(),
    tenant_id: z.string(),
    url: z.string().nullable(),
    status: z.enum(['enabled', 'paused', 'disabled']),
    version: z.int(),
  })
  .openapi('PinnedEndpoint')

export type Pinned = z.output<typeof pinnedSchema>

const SCAN_PAGE = 1000
/** Endpoints looked at for one page; a list of few among many comes in several short pages. */
const MAX_SCANNED = 10_000

/** The endpoints that receive a type in this version, a page of them. */
export async function pinnedTo(
  call: Finding,
  type: string,
  version: number,
  page: PageRequest,
): Promise<CursorPage<Pinned>> {
  const found: Pinned[] = []
  let { after } = page
  for (let scanned = 0; scanned < MAX_SCANNED; scanned += SCAN_PAGE) {
    const { rows, next } = await call.context.store.listEndpoints({
      scope: scopeOf(call),
      page: { limit: SCAN_PAGE, after },
    })
    for (const row of rows) {
      if (!isPinned(row, type, version)) continue
      found.push(pinnedView(row, version))
      if (found.length === page.limit) return { rows: found, next: row.position }
    }
    if (next === null) return { rows: found, next: null }
    after = next
  }
  return { rows: found, next: after }
}

function isPinned(row: EndpointRow, type: string, version: number): boolean {
  return subscribes(row.eventTypes, type) && wantOf(row, type).pin === version
}

function pinnedView(row: EndpointRow, version: number): Pinned {
  return { endpoint_id: row.id, tenant_id: row.tenantId, url: row.url, status: row.status, version }
}
