import { cannotCompare } from './compare-leaves.ts'
import type { FoundChange } from './schema-change.ts'
import type { SameKeyword } from './same-schema.ts'
import { isSchemaObject, type SchemaObject } from './schema-problem.ts'

/**
 * Keywords that decide what another one beside them is about: `items` is about the elements after `prefixItems`,
 * `additionalProperties` about the members that nothing else names, `unevaluated…` about whatever is left. One more of them
 * takes values out of what consumers were told of the rest.
 */
export function compareModifiers(
  old: SchemaObject,
  fresh: SchemaObject,
  path: string,
  isSame: SameKeyword,
): FoundChange[] {
  const changed = (keyword: string) => !isSame(keyword, old[keyword], fresh[keyword])
  const found: string[] = []
  if (tells(old['items']) && changed('prefixItems')) found.push('prefixItems')
  const gained = Object.keys(membersOf(fresh)).some((name) => !Object.hasOwn(membersOf(old), name))
  const names = isSchemaObject(old['patternProperties']) && gained
  if (names || (isSchemaObject(old['additionalProperties']) && changed('patternProperties'))) {
    found.push('patternProperties')
  }
  // Consumers who read openly do not hold to `unevaluatedProperties: false`.
  const leftover = [
    ...(tells(old['unevaluatedItems']) ? ['unevaluatedItems'] : []),
    ...(isSchemaObject(old['unevaluatedProperties']) ? ['unevaluatedProperties'] : []),
  ]
  if (leftover.length > 0 && !isSame('not', old, fresh)) found.push(...leftover)
  return found.map((keyword) => cannotCompare(keyword, path))
}

function tells(value: unknown): boolean {
  return value === false || isSchemaObject(value)
}

function membersOf(schema: SchemaObject): SchemaObject {
  return isSchemaObject(schema['properties']) ? schema['properties'] : {}
}
