import { compareLeaves } from './compare-leaves.ts'
import { compareModifiers } from './compare-modifiers.ts'
import { isSilent, sameKeywords } from './same-schema.ts'
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
  const isSame = sameKeywords(before, after)
  const under = new SchemaPairs()
  const done = new SchemaPairs()
  let visits = 0

  function compare(oldValue: unknown, newValue: unknown, path: string): void {
    // By what was written, before references are followed: one that leads back to itself is met again.
    if (under.has(oldValue, newValue) || (visits++ > MAX_VISITS && done.has(oldValue, newValue))) return
    under.add(oldValue, newValue)
    const [old, fresh] = [followReferences(oldValue, before), followReferences(newValue, after)]
    changes.push(...compareLeaves(old, fresh, path, isSame), ...compareModifiers(old, fresh, path, isSame))
    compareMembers(old, fresh, path)
    compareInner(old['items'], fresh['items'], inside(path, '*'))
    compareRest(old['additionalProperties'], fresh['additionalProperties'], path)
    under.delete(oldValue, newValue)
    done.add(oldValue, newValue)
  }

  function compareRest(old: unknown, fresh: unknown, path: string): void {
    if (isSchemaObject(old) || isSchemaObject(fresh)) {
      // Who reads openly passed over what there was.
      compareInner(old === false ? undefined : old, fresh, inside(path, '*'))
    } else if (fresh === false && old !== false) {
      changes.push({ path, kind: 'closed', verdict: 'additive', reason: CLOSED })
    }
  }

  function compareInner(old: unknown, fresh: unknown, path: string): void {
    const change = (verdict: FoundChange['verdict'], reason: string) => {
      changes.push({ path, kind: 'items_changed', verdict, reason })
    }
    if (isAnything(old)) {
      if (isAnything(fresh)) return
      if (fresh === false) change('additive', 'nothing is inside any more; before, anything could come')
      else change('additive', 'what is inside is described now; before, anything could come')
    } else if (fresh === false) {
      if (old !== false) change('additive', 'nothing is inside any more')
    } else if (old === false) change('breaking', 'nothing could be inside, and now there can be something')
    else if (isAnything(fresh)) change('breaking', 'what is inside is not described any more: anything may come')
    else compare(old, fresh, path)
  }

  function compareMembers(old: SchemaObject, fresh: SchemaObject, path: string): void {
    const [oldFields, newFields] = [fieldsOf(old), fieldsOf(fresh)]
    const added = Object.keys(newFields).filter((name) => !Object.hasOwn(oldFields, name))
    const all = [...Object.keys(oldFields), ...namesOf(old), ...Object.keys(newFields), ...namesOf(fresh)]
    for (const name of new Set(all)) {
      const at = inside(path, name)
      const [field, freshField] = [memberOf(oldFields, name), memberOf(newFields, name)]
      if (field !== undefined && freshField === undefined) {
        const twins = added.filter((other) => !namesOf(old).includes(other) && isSame('not', field, newFields[other]))
        changes.push(removed(at, twins))
        continue
      }
      // A name that was not described is what all others were.
      const known = field ?? restOf(old) ?? (namesOf(old).includes(name) ? ANYTHING : undefined)
      if (known === undefined && freshField !== undefined) {
        changes.push(addedField(at, namesOf(fresh).includes(name)))
        continue
      }
      changes.push(...requiredChange(at, namesOf(old).includes(name), namesOf(fresh).includes(name)))
      if (freshField !== undefined) compare(known, freshField, at)
    }
  }

  compare(before, after, '')
  return { verdict: verdictOf(changes), changes: changes.map(inPlace) }
}

const CLOSED = 'members that are not described are refused from producers now; consumers passed over them'
/** So many places are compared wherever they are met again; then each pair of schemas once. */
const MAX_VISITS = 5000
const ANYTHING: SchemaObject = {}

/** Pairs of an old schema and a new one. */
class SchemaPairs {
  readonly #pairs = new Map<unknown, Set<unknown>>()

  has(old: unknown, fresh: unknown): boolean {
    return this.#pairs.get(old)?.has(fresh) === true
  }

  add(old: unknown, fresh: unknown): void {
    this.#pairs.set(old, (this.#pairs.get(old) ?? new Set()).add(fresh))
  }

  delete(old: unknown, fresh: unknown): void {
    this.#pairs.get(old)?.delete(fresh)
  }
}

function isAnything(value: unknown): boolean {
  if (value === undefined || value === true) return true
  return isSchemaObject(value) && Object.keys(value).every(isSilent)
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

function memberOf(fields: SchemaObject, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function namesOf(schema: SchemaObject): string[] {
  return Array.isArray(schema['required']) ? schema['required'].map(String) : []
}

/** What members without a description of their own are, where that is said. */
function restOf({ additionalProperties: rest }: SchemaObject): SchemaObject | undefined {
  return isSchemaObject(rest) ? rest : undefined
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
