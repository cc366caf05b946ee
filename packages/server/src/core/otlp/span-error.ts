import type { EventError } from '@runbell/sdk/catalog'

type ErrorCode = EventError['code']
type Origin = 'tool' | 'agent'

/**
 * What `error.type` may say (a code, a status, the name of a class), by what stands in it, the first that fits. Its own text goes
 * nowhere: it may be anything.
 */
const KNOWN: readonly (readonly [RegExp, { tool: ErrorCode; agent: ErrorCode }])[] = [
  [/time.?out|timed.?out|deadline|\b(?:408|504)\b/i, both('timeout')],
  [/rate.?limit|too.?many|throttl|\b429\b/i, both('rate_limited')],
  [/quota|insufficient.?funds|\b402\b/i, both('quota_exceeded')],
  [/budget/i, both('budget_exceeded')],
  [/max.?turns|max.?iterations|recursion/i, both('max_turns_exceeded')],
  [/context.?(?:length|window)|token.?limit/i, both('context_length_exceeded')],
  [/content.?filter|refus|safety/i, both('model_refused')],
  [/guardrail|tripwire/i, both('guardrail_blocked')],
  [/unauthenticated|unauthori[sz]ed|authentication|\b401\b/i, both('authentication_required')],
  [/permission|forbidden|denied|\b403\b/i, both('permission_denied')],
  [/cancel|abort|interrupt/i, both('interrupted')],
  [/not.?found|\b404\b/i, { tool: 'tool_not_found', agent: 'dependency_failed' }],
  [/conflict|\b409\b/i, both('conflict')],
  [
    /connect|unavailable|unreachable|econn|enotfound|network|socket|\b50[23]\b/i,
    { tool: 'tool_unavailable', agent: 'dependency_failed' },
  ],
  [
    /invalid|validation|schema|parse|argument|type.?error|value.?error|\b4(?:00|22)\b/i,
    { tool: 'tool_input_invalid', agent: 'invalid_input' },
  ],
]

/** Worth trying again, where nobody knows better. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['timeout', 'rate_limited', 'tool_unavailable', 'dependency_failed', 'interrupted'] as const),
])

/** The error of an event for an `error.type`; `''`: there was none. */
export function errorOfType(type: string, origin: Origin): EventError {
  const known = KNOWN.find(([pattern]) => pattern.test(type))
  const code = known?.[1][origin] ?? (origin === 'tool' ? 'tool_error' : type === '' ? 'unknown' : 'internal_error')
  const what = origin === 'tool' ? 'The tool call' : 'The run'
  return {
    code,
    message: `${what} failed: ${code.replaceAll('_', ' ')}.`,
    retryable: RETRYABLE.has(code),
    origin,
    side_effects: 'unknown',
  }
}

function both(code: ErrorCode): { tool: ErrorCode; agent: ErrorCode } {
  return { tool: code, agent: code }
}
