import { z } from '@hono/zod-openapi'
import { echoOf, invalid } from './problem.ts'
import { validate } from './validate.ts'

/** The schema inside `optional` and `default`. */
function bare(schema: unknown): unknown {
  let inner = schema
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap()
  return inner
}

/**
 * Reads a query string by its schema. Lists may be repeated or comma-separated; everything else may come once.
 * Unknown names are refused: a mistyped filter would silently answer with everything.
 * @throws Refused `invalid_request`, with paths such as `/query/since`
 */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, params: URLSearchParams): z.output<Schema> {
  const shape: Record<string, unknown> = schema.shape
  const value: Record<string, unknown> = {}
  for (const name of new Set(params.keys())) {
    const texts = params.getAll(name)
    const kind = Object.hasOwn(shape, name) ? bare(shape[name]) : undefined
    if (kind instanceof z.ZodArray) {
      value[name] = texts.flatMap((text) => text.split(','))
      continue
    }
    if (texts.length > 1) throw invalid([{ path: `/query/${echoOf(name)}`, message: 'may be given once' }])
    const text = texts[0] as string
    define(value, name, kind instanceof z.ZodNumber && /^-?\d{1,15}$/.test(text) ? Number(text) : text)
  }
  return validate(schema, value, '/query')
}

/** As an own property, whatever the name: `__proto__` is a name like any other here. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}
