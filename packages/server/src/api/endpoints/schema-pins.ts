import type { ProblemDetail } from '@runbell/sdk/contract'
import type { Catalog } from '../../core/catalog/type-contract.ts'
import { subscribes } from '../../core/match.ts'
import { nearest } from '../../core/nearest.ts'
import { invalid } from '../http/problem.ts'

export type Pins = Readonly<Record<string, number>>

/**
 * The pins of an endpoint that subscribes: of each type to the version that is current now (contract, "Versions"). Only
 * those above 1 are kept, since 1 is what an endpoint without a pin gets (decision 9).
 *
 * @param before what it was subscribed to, and pinned to: a type that stays subscribed keeps its version
 * @param asked versions that were asked for by name; they go first
 * @throws Refused where a type or version that was asked for is not there
 */
export function pinsFor(
  catalog: Catalog,
  eventTypes: readonly string[],
  before: { eventTypes: readonly string[]; pins: Pins } | null,
  asked: Pins,
): Record<string, number> {
  checkAsked(catalog, asked)
  const pins = new Map<string, number>()
  for (const type of catalog.names()) {
    if (!subscribes(eventTypes, type)) continue
    const stays = before !== null && subscribes(before.eventTypes, type)
    const pin = stays ? before.pins[type] : aboveOne(catalog.find(type)?.current ?? 1)
    if (pin !== undefined) pins.set(type, pin)
  }
  for (const [type, version] of Object.entries(asked)) pins.set(type, version)
  return Object.fromEntries(pins)
}

function aboveOne(version: number): number | undefined {
  return version > 1 ? version : undefined
}

function checkAsked(catalog: Catalog, asked: Pins): void {
  const errors: ProblemDetail[] = []
  for (const [type, version] of Object.entries(asked)) {
    const contract = catalog.find(type)
    const path = `/schema_versions/${type.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (contract === null) {
      const near = nearest(type, [...catalog.names()])
      const fix = near === null ? {} : { suggested_fix: `Use "${near}".` }
      errors.push({ path, message: 'is no type of the catalog', ...fix })
    } else if (contract.version(version) === null) {
      errors.push({ path, message: `must be a version of the type, 1 to ${contract.current}` })
    }
  }
  if (errors.length > 0) throw invalid(errors)
}
