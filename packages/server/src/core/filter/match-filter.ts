import { CONTAINER, type EventView, type Seen } from './event-view.ts'
import { conditionsOf, type FieldCondition, type FieldTest, type Filter } from './filter.ts'

/** Whether an event passes a filter. Work is bounded by the filter's conditions; nothing of the event is parsed for it. */
export function matchesFilter(filter: Filter, event: EventView): boolean {
  switch (filter.kind) {
    case 'field':
      return conditionHolds(filter, event)
    case 'not':
      return !matchesFilter(filter.of, event)
    case 'all':
      return filter.of.every((part) => matchesFilter(part, event))
    case 'any':
      return filter.of.some((part) => matchesFilter(part, event))
  }
}

/** One condition, and what it found. */
export interface Explained {
  condition: FieldCondition
  found: Seen
  /** Of this condition alone, whatever `not` it stands in. */
  holds: boolean
}

/** Why an event passes a filter or not: every condition, also those that did not decide. */
export function explainFilter(filter: Filter, event: EventView): Explained[] {
  return conditionsOf(filter).map((condition) => ({
    condition,
    found: event.at(condition.pointer, condition.tokens),
    holds: conditionHolds(condition, event),
  }))
}

function conditionHolds({ pointer, tokens, tests }: FieldCondition, event: EventView): boolean {
  const found = event.at(pointer, tokens)
  return tests.every((test) => testHolds(test, found))
}

/** What is not there passes only `exists: false` and `not`. A list or an object only exists. */
function testHolds(test: FieldTest, found: Seen): boolean {
  if (test.op === 'not') return !test.tests.every((inner) => testHolds(inner, found))
  if (test.op === 'exists') return test.wanted === (found !== undefined)
  if (found === undefined || found === CONTAINER) return false
  if (test.op === 'in') return test.values.has(found)
  if (test.op === 'prefix') return typeof found === 'string' && found.startsWith(test.text)
  if (typeof found !== 'number') return false
  if (test.op === 'gt') return found > test.bound
  if (test.op === 'gte') return found >= test.bound
  return test.op === 'lt' ? found < test.bound : found <= test.bound
}
