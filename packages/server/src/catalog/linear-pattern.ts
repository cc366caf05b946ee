import { RE2JS } from 're2js'

/**
 * Patterns of schemas that somebody registers run on an engine whose time grows with the text alone (RE2's syntax):
 * one made to backtrack would stop every publisher with an ordinary-looking event.
 */

/**
 * Instructions a pattern may have: the time for a text grows with them as well. Without a limit, 256 characters make
 * 30,000 (`.{1000}` thirty times), which take 4 s for a text of 20 KB; 2000 take a quarter of a second, and are enough for
 * `^.{1,1000}$`.
 */
const MAX_INSTRUCTIONS = 2010

/** Compiles a pattern of JSON Schema. @throws Error where `patternProblem` finds something */
export function compileLinear(source: string): { test(text: string): boolean } {
  return RE2JS.compile(RE2JS.translateRegExp(asEcmaScript(source)))
}

/** Why the engine cannot run a pattern, in words; `null`: it can. */
export function patternProblem(source: string): string | null {
  try {
    // What no regular expression of JavaScript is, other validators of the same schema could not read.
    // oxlint-disable-next-line no-new -- only to be told whether it is one
    new RegExp(source, 'u')
    if (RE2JS.compile(RE2JS.translateRegExp(asEcmaScript(source))).programSize() <= MAX_INSTRUCTIONS) return null
  } catch {
    // Said below.
  }
  return 'is not a regular expression that runs in linear time: no look-around, no backreference, no very large repeat'
}

/** What `\s` and `.` mean in ECMA-262, which JSON Schema goes by: RE2 knows fewer spaces and fewer ends of lines. */
const SPACES = String.raw`\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}`
const NO_SPACES =
  String.raw`\x{0}-\x{8}\x{E}-\x{1F}!-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}` +
  String.raw`\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}`
const NO_LINE_END = String.raw`[^\n\r\x{2028}\x{2029}]`
/** Escapes, the start of a group that changes what the others mean, the two ends of a class, and the dot. */
const TOKENS = /\\[\s\S]|\(\?[a-z-]+[:)]|[[\].]/g

/** @throws Error for a group with flags, which few validators read, and for a backreference by name */
function asEcmaScript(source: string): string {
  let inClass = false
  return source.replaceAll(TOKENS, (token) => {
    if (token === '[') inClass = true
    else if (token === ']') inClass = false
    else if (inClass) {
      if (token === String.raw`\s`) return SPACES
      if (token === String.raw`\S`) return NO_SPACES
    } else if (token === String.raw`\s`) return `[${SPACES}]`
    else if (token === String.raw`\S`) return `[^${SPACES}]`
    else if (token === '.') return NO_LINE_END
    else if (token.startsWith('(')) throw new Error('a group with flags')
    // The engine would take a backreference by name for the letter k.
    else if (token === String.raw`\k`) throw new Error('a backreference')
    return token
  })
}
