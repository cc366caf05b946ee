import type { ProblemDetail, Warning } from '@runbell/sdk/contract'
import type { Catalog } from '../../core/catalog/type-contract.ts'
import { lookUpField, type FieldVerdict } from '../../core/filter/filter-field.ts'
import { conditionsOf, type FieldCondition, type Filter } from '../../core/filter/filter.ts'
import { readFilter } from '../../core/filter/read-filter.ts'
import { subscribes } from '../../core/match.ts'
import { invalid } from '../http/problem.ts'

export interface CheckedFilter {
  /** `null`: every event of the types. */
  filter: Filter | null
  warnings: Warning[]
}

/**
 * A filter as it was sent, held against the types an endpoint subscribes to. A field that no type has is a warning: the type
 * may come later. One that is nowhere public is refused, since which events match would tell what is in it.
 * @throws Refused `invalid_request` with each wrong place and what to write instead
 */
export function checkFilter(catalog: Catalog, eventTypes: readonly string[], value: unknown): CheckedFilter {
  if (value === null) return { filter: null, warnings: [] }
  const read = readFilter(value)
  if (!read.ok) throw invalid(read.errors.map(({ path, ...error }) => ({ path: `/filter${path}`, ...error })))
  const types = [...catalog.names()].filter((type) => subscribes(eventTypes, type))
  const errors: ProblemDetail[] = []
  const warnings: Warning[] = []
  for (const condition of conditionsOf(read.filter)) {
    if (condition.tokens[0] !== 'data') continue
    const problem = problemOf(lookUpField(catalog, types, condition.tokens), condition)
    if (problem === null) continue
    if (problem.refused) errors.push(problem.detail)
    else warnings.push({ code: 'filter_field', path: problem.detail.path, message: problem.detail.message })
  }
  if (errors.length > 0) throw invalid(errors)
  return { filter: read.filter, warnings }
}

function problemOf(
  verdict: FieldVerdict,
  condition: FieldCondition,
): { refused: boolean; detail: ProblemDetail } | null {
  const path = `/filter${condition.path}`
  switch (verdict.kind) {
    case 'public':
      return null
    case 'unknown':
      return { refused: false, detail: { path, message: 'names a field that no type it subscribes to has' } }
    case 'inner': {
      const message = `names a list or an object of ${verdict.type}, whose fields have classes of their own`
      const fix = 'Name a public field inside an object; what is inside a list cannot be named.'
      return { refused: true, detail: { path, message, suggested_fix: fix } }
    }
    case 'classed': {
      const which = verdict.dataClass === 'another' ? 'a class that each event names' : `class ${verdict.dataClass}`
      const message = `is of ${which} in ${verdict.type}: which events match would tell what is in it`
      const fix = 'Name a public field, or let the receiver decide when it has the event.'
      return { refused: true, detail: { path, message, suggested_fix: fix } }
    }
  }
}
