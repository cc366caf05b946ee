import type { ProblemDetail, Warning } from '@runbell/sdk/contract'
import type { DataProblem, VersionContract } from './catalog/type-contract.ts'
import { planCuts, type CutPlan } from './cut-plan.ts'
import { classBit } from './data-classes.ts'
import type { JsonIndex } from './json-index.ts'

/** An event's data held against its schema. */
export interface CheckedData {
  plan: CutPlan
  /** Where it does not match; paths are into the event. */
  problems: DataProblem[]
  /** Summaries with characters that are refused whatever the type's settings are. */
  unsafe: DataProblem[]
}

const SUMMARY = classBit('summary')
const MAX_REPORTED = 20
const MAX_PATH = 128
/**
 * Control characters (general category Cc) and those of Bidi_Control (Unicode Standard Annex 9): in a sentence that
 * somebody decides by, they can make it look like another.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}]/u

/** @param node of the data, an object */
export function checkData(json: JsonIndex, node: number, version: VersionContract): CheckedData {
  const problems = version
    .validate(json.value(node))
    .map((problem) => ({ ...problem, path: `/data${problem.path}`.slice(0, MAX_PATH) }))
  const plan = planCuts(json, node, version.shape)
  const summaries = plan.parts.filter(({ bit }) => bit === SUMMARY)
  const unsafe = summaries.flatMap((part) => unsafeTexts(json, part.node)).slice(0, MAX_REPORTED)
  return { plan, problems, unsafe }
}

/** Summaries are read by people who then decide something: they are refused rather than altered (contract). */
function unsafeTexts(json: JsonIndex, part: number): DataProblem[] {
  const problems: DataProblem[] = []
  const end = json.subtreeEnd(part)
  for (let node = part; node < end; node++) {
    if (json.kind(node) !== 'string' || !UNSAFE.test(json.text(node))) continue
    const message = 'has a control or bidirectional formatting character, which a summary may not have'
    const fix = 'Take it out, line breaks too, or put the text into a field of another class.'
    problems.push({ path: json.pointer(node, MAX_PATH), message, fix })
  }
  return problems
}

/** Every member that is not known, for the producer: it will not be delivered. */
export function droppedFields({ json, parts, hasUnknown }: CutPlan): Warning[] {
  if (!hasUnknown) return []
  return parts
    .filter(({ bit }) => bit === 0)
    .slice(0, MAX_REPORTED)
    .map(({ node }) => {
      const message = 'the schema does not know this field or does not expect it so: it is not delivered to anybody'
      return { code: 'field_dropped', path: json.pointer(node, MAX_PATH), message }
    })
}

export function toDetails(problems: readonly DataProblem[]): ProblemDetail[] {
  return problems.map(({ path, message, fix }) => ({ path, message, ...(fix === null ? {} : { suggested_fix: fix }) }))
}
