import { compareLeaves } from './compare-leaves.ts'
import type { FoundChange, SchemaChange } from './schema-change.ts'
import { followReferences, inside, isSchemaObject, type SchemaObject } from './schema-problem.ts'

export type SchemaVerdict = 'unchanged' | 'additive' | 'breaking'

export interface SchemaComparison {
  verdict: SchemaVerdict
  changes: SchemaChange[]
}

/**
 * What a change of a schema means to consumers who were built for the one before and read openly: fields they do not know are
 * passed over. Additive: whatever is valid under `after` is what they expect. What cannot be shown to be so is breaking.
 */
export function compareSchemas(before: SchemaObject, after: SchemaObject): SchemaComparison {
  const changes: FoundChange[] = []
  const compared = new Map<unknown, Set<unknown>>()

  function compare(oldValue: unknown, newValue: unknown, path: string): void {
    // By what was written, before references are followed: one that leads back to itself is met again.
    const known = compared.get(oldValue) ?? new Set()
    if (known.has(newValue)) return
    compared.set(oldValue, known.add(newValue))
    const [old, fresh] = [followReferences(oldValue, before), followReferences(newValue, after)]
    if (old === fresh) return
    changes.push(...compareLeaves(old, fresh, path))
    compareObjects(old, fresh, path)
    if ('items' in old || 'items' in fresh) compareInner(old['items'], fresh['items'], inside(path, '*'))
    const [oldRest, newRest] = [old['additionalProperties'], fresh['additionalProperties']]
    if (isSchemaObject(oldRest) || isSchemaObject(newRest)) compareInner(oldRest, newRest, inside(path, '*'))
  }

  function compareInner(old: unknown, fresh: unknown, path: string): void {
    if (isSchemaObject(old) && isSchemaObject(fresh)) return compare(old, fresh, path)
    if (isSchemaObject(old) && fresh !== false) {
      changes.push({
        path,
        kind: 'items_changed',
        verdict: 'breaking',
        reason: 'what is inside is not described any more: anything may come',
      })
    } else if (isSchemaObject(fresh) || fresh === false) {
      changes.push({
        path,
        kind: 'items_changed',
        verdict: 'additive',
        reason: 'what is inside is described now; before, anything could come',
      })
    }
  }

  function compareObjects(old: SchemaObject, fresh: SchemaObject, path: string): void {
    const [oldFields, newFields] = [fieldsOf(old), fieldsOf(fresh)]
    const added = Object.keys(newFields).filter((name) => !Object.hasOwn(oldFields, name))
    for (const [name, field] of Object.entries(oldFields)) {
      const at = inside(path, name)
      if (!Object.hasOwn(newFields, name))
        changes.push(
          removed(
            at,
            added.filter((other) => same(newFields[other], field)),
          ),
        )
      else {
        changes.push(...requiredChange(at, requires(old, name), requires(fresh, name)))
        compare(field, newFields[name], at)
      }
    }
    for (const name of added) changes.push(addedField(inside(path, name), requires(fresh, name)))
  }

  compare(before, after, '')
  return { verdict: verdictOf(changes), changes: changes.map(inPlace) }
}

/** What a version may gain while it stays the same one (contract, "Versions"). */
const EXTENSIONS = new Set(['added_optional', 'bound_widened', 'enum_grown'])

function inPlace(change: FoundChange): SchemaChange {
  const { path, kind, verdict, reason } = change
  return { path, kind, verdict, in_place: verdict === 'additive' && EXTENSIONS.has(kind), reason }
}

function verdictOf(changes: readonly FoundChange[]): SchemaVerdict {
  if (changes.length === 0) return 'unchanged'
  return changes.some(({ verdict }) => verdict === 'breaking') ? 'breaking' : 'additive'
}

function fieldsOf(schema: SchemaObject): SchemaObject {
  return isSchemaObject(schema['properties']) ? schema['properties'] : {}
}

function requires(schema: SchemaObject, name: string): boolean {
  return Array.isArray(schema['required']) && schema['required'].includes(name)
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function removed(path: string, twins: readonly string[]): FoundChange {
  const renamed = twins.length === 1 ? `; if it is called "${twins[0]}" now, declare that as a rename` : ''
  const reason = `the field is gone, and consumers read it${renamed}`
  return { path, kind: 'removed', verdict: 'breaking', reason }
}

function addedField(path: string, required: boolean): FoundChange {
  if (!required)
    return {
      path,
      kind: 'added_optional',
      verdict: 'additive',
      reason: 'a new field: consumers pass over what they do not know',
    }
  const reason = 'a new field that is always there: consumers pass over it; producers must send it from now on'
  return { path, kind: 'added_required', verdict: 'additive', reason }
}

function requiredChange(path: string, before: boolean, after: boolean): FoundChange[] {
  if (before === after) return []
  if (after) {
    const reason = 'it is always there now: consumers had to do without it before; producers must send it'
    return [{ path, kind: 'optional_to_required', verdict: 'additive', reason }]
  }
  return [
    {
      path,
      kind: 'required_to_optional',
      verdict: 'breaking',
      reason: 'it may be missing now, and consumers rely on it',
    },
  ]
}
