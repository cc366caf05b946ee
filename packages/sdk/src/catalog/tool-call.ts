import { ACTOR, ERROR, RESOURCE, sideEffects, TOOL } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import { anything, constant, integer, oneOf, producerId, text, use } from './field.ts'

const ABOUT_STATUS = 'The state of the tool call, from now on.'

const call = {
  tool_call_id: producerId('public', 'The tool call: the same in all its events.'),
  tool: use(TOOL, 'The tool that was called.'),
}
const attempt = integer('public', 'Which try of the same call it is, from 1.', { minimum: 1 })
const input = anything('tool_input', 'What the tool was called with.')
const duration = integer('public', 'From call to end, in milliseconds.', { minimum: 0 })

/** Every tool call type. A call ends once; `denied` never follows `started`. */
export const TOOL_CALL_TYPES = {
  'agent.tool_call.started': runFact('A tool began executing.', {
    required: { ...call, status: constant('public', ABOUT_STATUS, 'running') },
    optional: {
      attempt,
      input,
      input_binding: text(
        'public',
        'An HMAC under the producer’s key over the call and its input; equal to that of the approval, where there was one.',
        { pattern: '^hmac-sha256:[A-Za-z0-9_-]{43}$' },
      ),
    },
  }),
  'agent.tool_call.completed': runFact('A tool returned a result.', {
    required: { ...call, status: constant('public', ABOUT_STATUS, 'completed') },
    optional: {
      duration_ms: duration,
      side_effects: sideEffects,
      summary: text('summary', 'What came out of it, in one safe sentence.', { maxLength: 280 }),
      input,
      output: anything('tool_output', 'What the tool returned.'),
      result: use(RESOURCE, 'What the call made or changed.'),
    },
  }),
  'agent.tool_call.failed': runFact('A tool ended with an error.', {
    required: {
      ...call,
      status: oneOf('public', ABOUT_STATUS, ['failed', 'timed_out']),
      error: use(ERROR, 'Why it failed.'),
    },
    optional: { duration_ms: duration, attempt, input },
  }),
  'agent.tool_call.denied': runFact('A tool call was refused before it ran.', {
    required: {
      ...call,
      status: constant('public', ABOUT_STATUS, 'denied'),
      denied_by: use(ACTOR, 'Who refused it.'),
    },
    optional: {
      approval_id: producerId('public', 'The approval that ended in this.'),
      reason: text('summary', 'Why, in one safe sentence.', { maxLength: 280 }),
    },
  }),
} as const satisfies EventTypeFamily
