import { classProblems } from './class-rules.ts'
import { keywordProblems, type KeywordOptions } from './keyword-rules.ts'
import { isSchemaObject, type SchemaProblem } from './schema-problem.ts'

const MAX_REPORTED = 20

/**
 * What is wrong with a schema that a producer wants to register for the data of a type: JSON Schema 2020-12, complete in
 * itself, bounded in cost, every value of one data class, and such that a body stays valid whatever is cut out of it.
 */
export function checkDataSchema(schema: unknown, options: KeywordOptions): SchemaProblem[] {
  if (!isSchemaObject(schema) || schema['type'] !== 'object') {
    return [{ path: '/type', message: 'is "object": the data of an event is one', fix: 'Set "type": "object".' }]
  }
  const keywords = keywordProblems(schema, options)
  // Only a schema that can be followed can be looked through for classes.
  return (keywords.length > 0 ? keywords : classProblems(schema)).slice(0, MAX_REPORTED)
}
