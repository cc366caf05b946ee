import { EVENT_TYPE_MAX_LENGTH, EVENT_TYPE_PATTERN } from '@runbell/sdk/contract'
import { RESERVED_TYPE_PREFIXES } from '@runbell/sdk/catalog'
import type { Catalog, TypeContract } from './catalog/type-contract.ts'
import type { Refusal } from './checked-event.ts'
import type { EnvelopeReader } from './envelope-reader.ts'
import { nearest } from './nearest.ts'

/** The contract of an event's type; `null`: there is none, which `reader` then knows the reason of, or a refusal. */
export function findType(
  reader: EnvelopeReader,
  catalog: Catalog,
  internal: boolean,
): { contract: TypeContract | null; refusal: Refusal | null } {
  const type = reader.text('type')
  if (type === null) {
    if (reader.node('type') === -1) reader.fail('/type', 'is required, such as agent.run.started')
    return { contract: null, refusal: null }
  }
  const contract = catalog.find(type)
  if (contract !== null && (contract.origin !== 'service' || internal)) return { contract, refusal: null }
  if (type.length > EVENT_TYPE_MAX_LENGTH || !EVENT_TYPE_PATTERN.test(type)) {
    const shape = 'is two to five segments of a-z, 0-9 and _, such as acme.invoice.drafted, 100 characters at most'
    reader.fail('/type', shape)
    return { contract: null, refusal: null }
  }
  return { contract: null, refusal: unknownType(type, catalog) }
}

/** The refusal of a type that is not in the catalog, with the name that may be meant. */
export function unknownType(type: string, catalog: Catalog): Refusal {
  const isReserved = RESERVED_TYPE_PREFIXES.some((prefix) => type.startsWith(prefix))
  const suggestion = nearest(
    type,
    [...catalog.names()].filter((name) => !name.startsWith('runbell.')),
  )
  const register = isReserved
    ? 'Start the names of your own types with a segment of your own.'
    : 'Register it first: POST /v1/event-types, or runbell catalog push.'
  return {
    code: 'unknown_event_type',
    detail: isReserved
      ? `"${type}" is not in the catalog, and ${type.split('.')[0]}. is reserved for Runbell's own types`
      : `"${type}" is not in the catalog of this mode`,
    errors: [
      { path: '/type', message: suggestion === null ? 'is not in the catalog' : `did you mean "${suggestion}"?` },
    ],
    fix:
      suggestion === null
        ? register
        : `Use "${suggestion}". ${isReserved ? '' : `If it is another one: ${lower(register)}`}`.trimEnd(),
  }
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}
