import { describe, expect, it } from 'vitest'
import { compileLinear, patternProblem } from './linear-pattern.ts'

describe('a pattern', () => {
  it.each([
    ...['^[a-z]{1,20}-\\d+$', '^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$', '^\\p{Lu}\\p{L}*$', '(x+x+)+y', '^.{1,1000}$'],
    ...['^[\\w.-]{1,255}$', '^\\(\\?i:$', '^[(?i:]$', ''],
  ])('can be %s', (source) => {
    expect(patternProblem(source)).toBeNull()
  })

  it.each([
    ...['^(?=a)', '^(?!a)', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<n>a)\\k<n>', '(', '[z-a]', 'a{2,1}', '(?i:a)'],
    ...['(?s-i:.)', 'a{1001}', '(a{1000}){1000}', '((a{100}){100}){10}', '(?:.{1000}){9}x', '.{1000}'.repeat(30)],
  ])('cannot be %s', (source) => {
    expect(patternProblem(source)).toContain('linear time')
  })

  it.each(['(x+x+)+y$', '^(a|a)*$', '^(?:[a-z]+)+$', '(.*a){100}'])('does not backtrack: %s', (source) => {
    const pattern = compileLinear(source)
    const startedAt = performance.now()
    for (const letter of ['x', 'a']) pattern.test(`${letter.repeat(20_000)}!`)
    // Backtracking would take longer than anybody waits.
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  /** What a consumer's validator, which goes by ECMA-262, makes of the same schema. */
  it.each([
    ...['^\\s$', '^\\S$', '^[\\s]$', '^[^\\s]$', '^[\\S]$', '^[^\\S]$', '^[\\S\\s]$', '^[\\sx]$', '^[\\d\\S]$'],
    ...['^.$', '^[.]$', '^[^.]$', '^\\.$', '^[\\]\\s]$', '^\\w$', '^\\W$', '^\\d$', '^\\D$', '^\\p{L}$', '^\\cJ$'],
    ...['^[^]$', '^\\u00e9$', '^\\u{1F600}$', '^\\x41$', '^(?<n>.)$', '^\\/$', '\\bx\\b', 'x$', '^\\\\.$'],
  ])('means what it means in JavaScript: %s', (source) => {
    const [ours, theirs] = [compileLinear(source), new RegExp(source, 'u')]
    const texts = Array.from({ length: 0x3100 }, (_, code) => String.fromCodePoint(code))
    texts.push('\uFEFF', '\uFEFE', '\uFF00', '😀', '\u{10FFFF}', 'x\n', ' x ', '\\a', '')
    expect(texts.filter((text) => ours.test(text) !== theirs.test(text))).toEqual([])
  })
})
