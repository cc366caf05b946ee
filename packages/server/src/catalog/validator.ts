import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { DataProblem } from '../core/catalog/type-contract.ts'
import { SCHEMA_FORMATS, usesUnevaluated } from '../core/schema/keyword-rules.ts'
import { explainProblem } from './explain-problem.ts'
import { compileLinear } from './linear-pattern.ts'
import { hasUniqueItems } from './unique-items.ts'

const MAX_PROBLEMS = 20

/** The compiled schema failed, or does not agree with itself; no schema is known with which it does. */
const UNCHECKED: DataProblem = {
  path: '',
  message: 'could not be held against this schema',
  fix: 'Register the type again with a schema that combines fewer keywords.',
}

type Patterns = 'native' | 'linear'

/**
 * Compiles schemas of data (JSON Schema 2020-12), each once.
 *
 * @param patterns `native` for the built-in catalog, whose patterns are ours; `linear` for what somebody registers
 */
export function createValidators(patterns: Patterns) {
  const plain = createPair(patterns, false)
  const tracking = createPair(patterns, true)

  return {
    /** @throws Error where the schema is none */
    compile(schema: object): (data: unknown) => DataProblem[] {
      const { quick, thorough } = usesUnevaluated(schema) ? tracking : plain
      const check = compileIn(quick, schema)
      let checkAll: ValidateFunction | null = null
      return (data) => {
        try {
          if (check(data)) return []
          checkAll ??= compileIn(thorough, schema)
          if (!checkAll(data)) return (checkAll.errors ?? []).slice(0, MAX_PROBLEMS).map(explainProblem)
        } catch {
          // Said below: an event is refused, and its producer told why, sooner than a server that fails each time it is tried.
        }
        return [UNCHECKED]
      }
    },
  }
}

/** The first mismatch ends the quick check; only data that has one is looked through for all of them. */
function createPair(patterns: Patterns, tracks: boolean): { quick: Ajv2020; thorough: Ajv2020 } {
  const [quick, thorough] = [createAjv(patterns, false), createAjv(patterns, true)]
  // To keep track of which members have been looked at costs time, and fails where patterns for names stand beside
  // schemas of which one may do; only schemas that ask for it pay for it.
  for (const ajv of [quick, thorough]) ajv.opts.unevaluated = tracks
  return { quick, thorough }
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
