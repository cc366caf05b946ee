import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { DataProblem } from '../core/catalog/type-contract.ts'
import { SCHEMA_FORMATS } from '../core/schema/keyword-rules.ts'
import { explainProblem } from './explain-problem.ts'
import { compileLinear } from './linear-pattern.ts'
import { hasUniqueItems } from './unique-items.ts'

const MAX_PROBLEMS = 20

type Patterns = 'native' | 'linear'

/**
 * Compiles schemas of data (JSON Schema 2020-12), each once.
 *
 * @param patterns `native` for the built-in catalog, whose patterns are ours; `linear` for what somebody registers
 */
export function createValidators(patterns: Patterns) {
  // The first mismatch ends the quick check; only data that has one is looked through for all of them.
  const quick = createAjv(patterns, false)
  const thorough = createAjv(patterns, true)

  return {
    /** @throws Error where the schema is none */
    compile(schema: object): (data: unknown) => DataProblem[] {
      const check = compileIn(quick, schema)
      let checkAll: ValidateFunction | null = null
      return (data) => {
        if (check(data)) return []
        checkAll ??= compileIn(thorough, schema)
        checkAll(data)
        return (checkAll.errors ?? []).slice(0, MAX_PROBLEMS).map(explainProblem)
      }
    },
  }
}

function createAjv(patterns: Patterns, allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    strict: false,
    // For suggestions, which name words of the schema and never those of the data.
    verbose: allErrors,
    ownProperties: true,
    addUsedSchema: false,
    ...(patterns === 'native' ? {} : { code: { regExp: Object.assign(compileLinear, { code: 'compileLinear' }) } }),
  })
  addFormats.default(ajv, [...SCHEMA_FORMATS])
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: unknown[]) => !wanted || hasUniqueItems(items),
  })
  return ajv
}

function compileIn(ajv: Ajv2020, schema: object): ValidateFunction {
  const validate = ajv.compile(schema)
  // Compiled schemas are kept by whoever asked for them; here they would stay for ever.
  ajv.removeSchema(schema)
  return validate
}
