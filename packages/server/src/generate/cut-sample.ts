import type { DataClass } from '@runbell/sdk/contract'
import { utf8Bytes } from '../core/byte-edits.ts'
import { planCuts } from '../core/cut-plan.ts'
import { ALWAYS_GRANTED, classNames } from '../core/data-classes.ts'
import { scanJson } from '../core/json-scan.ts'
import { shapeOf } from '../core/schema/data-shape.ts'
import type { SchemaObject } from '../core/schema/schema-problem.ts'

/** What an endpoint without any grant gets of an event. */
export interface CutSample {
  withheld: DataClass[]
  data: unknown
}

/** The data of a sample, cut as delivery cuts it to what always travels; `null`: all of it does. */
export function cutSample(schema: SchemaObject, data: unknown): CutSample | null {
  const scan = scanJson(utf8Bytes(JSON.stringify(data)))
  if (!scan.ok) return null
  const { json } = scan
  const { data: bytes, withheld } = planCuts(json, json.root, shapeOf(schema)).cut(ALWAYS_GRANTED)
  if (bytes === null) return null
  const cut = scanJson(bytes)
  return cut.ok ? { withheld: classNames(withheld), data: cut.json.value(cut.json.root) } : null
}
