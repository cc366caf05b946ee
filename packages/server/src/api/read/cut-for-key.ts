import { ALWAYS_GRANTED, DELIVERABLE, maskOf, type ClassMask } from '../../core/data-classes.ts'
import type { TypeContract } from '../../core/catalog/type-contract.ts'
import { renderStored } from '../../core/stored-event.ts'
import type { EventRow } from '../../store/rows.ts'
import type { Principal } from '../access/principal.ts'
import type { ApiContext } from '../context.ts'
import { refused } from '../http/problem.ts'

/** What a key may see: what always travels, and what it holds besides (details 11). */
export function seenBy({ dataClasses }: Principal): ClassMask {
  return maskOf(dataClasses) | ALWAYS_GRANTED
}

/** The classes among these that a key may not see; 0: it may see them all. */
export function unseen(principal: Principal, classes: ClassMask): ClassMask {
  return classes & ~seenBy(principal)
}

/** Whether a key may see every class there is: then it sees events as they were sent. */
export function holdsAll(principal: Principal): boolean {
  return unseen(principal, DELIVERABLE) === 0
}

/** An event's body as the holder of a key may see it (details 11): with less than all classes, cut like a delivery. */
export function cutForKey(context: ApiContext, principal: Principal, row: EventRow): Uint8Array {
  if (holdsAll(principal)) return row.body
  const want = { format: 'runbell' as const, grants: seenBy(principal), pin: row.schemaVersion }
  const cut = renderStored(row, want, contractOf(context, row), context.publicUrl)
  return cut === null ? row.body : Buffer.concat([Buffer.from(cut.prefix, 'utf8'), cut.rest])
}

/** The contract of an accepted event's type. @throws Refused where another node has registered it a moment ago */
export function contractOf({ catalogs }: ApiContext, { mode, type }: EventRow): TypeContract {
  const contract = catalogs.of(mode).find(type)
  if (contract !== null) return contract
  throw refused('unavailable', `The type ${type} is not known here yet.`, 'Try again in a moment.')
}
