import { RE2JS } from 're2js'

/**
 * Patterns of schemas that somebody registers run on an engine whose time grows with the text alone (RE2's syntax):
 * one made to backtrack would stop every publisher with an ordinary-looking event.
 */

/** Compiles a pattern of JSON Schema. @throws Error where `patternProblem` finds something */
export function compileLinear(source: string): { test(text: string): boolean } {
  return RE2JS.compile(RE2JS.translateRegExp(source))
}

/** Why the engine cannot run a pattern, in words; `null`: it can. */
export function patternProblem(source: string): string | null {
  try {
    // What no regular expression of JavaScript is, other validators of the same schema could not read.
    // oxlint-disable-next-line no-new -- only to be told whether it is one
    new RegExp(source, 'u')
    compileLinear(source)
    return null
  } catch {
    return 'is not a regular expression that runs in linear time: no look-around, no backreference, no very large repeat'
  }
}
