import { DATA_CLASSES, type DataClass } from '../contract/vocabulary.ts'
import { ACTOR, TOOL } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import {
  anyObject,
  anything,
  constant,
  flag,
  list,
  oneOf,
  producerId,
  record,
  selfClassified,
  text,
  time,
  url,
  use,
  type Field,
} from './field.ts'

const DELIVERABLE_CLASSES = DATA_CLASSES.filter(
  (name): name is Exclude<DataClass, 'credential'> => name !== 'credential',
)

function status<const Word extends string>(word: Word): Field<Word> {
  return constant('public', 'The state of the approval, from now on.', word)
}

const approvalId = producerId('public', 'The approval: the same in the request and in what becomes of it.')
const toolCallId = producerId('public', 'The tool call it is about.')
const inputBinding = text(
  'public',
  'An HMAC under the producer’s key over the approval, the tool call, the tool’s name and the input: proves that what was approved is what runs.',
  { pattern: '^hmac-sha256:[A-Za-z0-9_-]{43}$' },
)
const shortReason = text('summary', 'Why, in one safe sentence.', { maxLength: 280 })

const detail = selfClassified(
  record('elsewhere', 'One thing the approver should see.', {
    required: {
      label: text('summary', 'What it is, such as Amount.', { minLength: 1, maxLength: 60 }),
      value: text('elsewhere', 'The value, or ••• where its class is not granted.', { maxLength: 200 }),
      value_class: oneOf('public', 'The data class of the value.', DELIVERABLE_CLASSES),
    },
    optional: { masked: flag('public', 'Whether the value was masked for this endpoint.') },
  }),
  'value_class',
)

const requested = runFact('A human decision is needed before the run may go on.', {
  required: {
    approval_id: approvalId,
    status: status('pending'),
    kind: oneOf('public', 'What is asked for.', ['tool_call', 'confirmation', 'input_required', 'plan']),
    summary: text('summary', 'What would happen, in one safe sentence.', { minLength: 1, maxLength: 280 }),
    summary_source: oneOf('public', 'Who wrote the summary; do not rely on one that a model wrote.', [
      'template',
      'model',
      'human',
    ]),
    options: list(
      'public',
      'What can be answered.',
      oneOf('elsewhere', 'An answer.', ['approve', 'deny', 'edit', 'cancel']),
      { minItems: 1, uniqueItems: true },
    ),
  },
  optional: {
    tool_call_id: toolCallId,
    risk_level: oneOf('public', 'How much is at stake.', ['low', 'medium', 'high', 'critical']),
    tool: use(TOOL, 'The tool that would be called.'),
    input_binding: inputBinding,
    details: list('elsewhere', 'What the approver should see. Each says its own data class.', detail, { maxItems: 12 }),
    response_schema: anyObject('public', 'JSON Schema of what can be answered besides the option.'),
    requested_from: use(ACTOR, 'Who may decide.'),
    reason: shortReason,
    expires_at: time('public', 'Until when it can be decided; delivery stops then, too.'),
    on_expiry: oneOf('public', 'What happens if nobody decides.', ['deny', 'cancel_run']),
    decision_url: url('public', 'The producer’s page to decide on. Carries no token.', '^https://'),
    input: anything('tool_input', 'What the tool would be called with.'),
  },
})

const decision = {
  tool_call_id: toolCallId,
  decided_at: time('public', 'When it was decided.'),
  automatic: flag('public', 'Whether a rule decided, and no person.'),
  reason: text('message', 'Why, in the words of whoever decided.', { maxLength: 500 }),
  input_binding: inputBinding,
  edited: flag('public', 'Whether the input was changed before it was decided.'),
  scope: oneOf('public', 'What the decision holds for.', ['once', 'run', 'always']),
}
const decidedBy = use(ACTOR, 'Who decided.')

/** Every approval type: a request, then exactly one of the others. */
export const APPROVAL_TYPES = {
  'agent.approval.requested': requested,
  'agent.approval.approved': runFact('The request was approved.', {
    required: { approval_id: approvalId, status: status('approved'), decided_by: decidedBy },
    optional: decision,
  }),
  'agent.approval.denied': runFact('The request was denied.', {
    required: { approval_id: approvalId, status: status('denied'), decided_by: decidedBy },
    optional: decision,
  }),
  'agent.approval.expired': runFact('Nobody decided before the deadline.', {
    required: {
      approval_id: approvalId,
      status: status('expired'),
      expired_at: time('public', 'When the deadline passed.'),
    },
    optional: {
      tool_call_id: toolCallId,
      consequence: oneOf('public', 'What follows from it.', ['deny', 'cancel_run']),
    },
  }),
  'agent.approval.cancelled': runFact('The request was withdrawn; no decision is needed any more.', {
    required: { approval_id: approvalId, status: status('cancelled') },
    optional: { tool_call_id: toolCallId, reason: shortReason },
  }),
} as const satisfies EventTypeFamily
