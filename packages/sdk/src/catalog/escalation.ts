import { ACTOR, RESOURCE } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import { constant, oneOf, producerId, text, use } from './field.ts'

const ABOUT_STATUS = 'The state of the escalation, from now on.'

const escalationId = producerId('public', 'The escalation: the same when it is created and resolved.')

/** Every escalation type. */
export const ESCALATION_TYPES = {
  'agent.escalation.created': runFact('The agent gave the matter to a human.', {
    required: {
      escalation_id: escalationId,
      status: constant('public', ABOUT_STATUS, 'open'),
      reason_code: oneOf('public', 'Why a human is needed.', [
        'low_confidence',
        'policy',
        'user_request',
        'repeated_failure',
        'out_of_scope',
        'safety',
        'other',
      ]),
    },
    optional: {
      priority: oneOf('public', 'How soon it should be looked at.', ['low', 'normal', 'high', 'urgent']),
      assigned_to: use(ACTOR, 'Who has it now.'),
      summary: text('summary', 'What it is about, in one safe sentence.', { maxLength: 280 }),
      resource: use(RESOURCE, 'Where it is worked on, such as a ticket.'),
    },
  }),
  'agent.escalation.resolved': runFact('The escalated matter was closed.', {
    required: {
      escalation_id: escalationId,
      status: constant('public', ABOUT_STATUS, 'resolved'),
      resolution: oneOf('public', 'How it was closed.', ['handled_by_human', 'returned_to_agent', 'dismissed']),
    },
    optional: { resolved_by: use(ACTOR, 'Who closed it.') },
  }),
} as const satisfies EventTypeFamily
