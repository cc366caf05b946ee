import { ACTOR, RESOURCE } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import { constant, integer, producerId, text, use } from './field.ts'

/** Every message type. */
export const MESSAGE_TYPES = {
  'agent.message.sent': runFact('The agent sent a user-facing message.', {
    required: {
      message_id: producerId('public', 'The message.'),
      status: constant('public', 'The state of the message.', 'sent'),
      channel: text('public', 'The way it went, such as chat or email.', { minLength: 1, maxLength: 64 }),
    },
    optional: {
      to: use(ACTOR, 'Who it was sent to.'),
      in_reply_to: producerId('public', 'The message it answers.'),
      content_length: integer('public', 'How long the content is, in characters.', { minimum: 0 }),
      content_type: text('public', 'The media type of the content.', { minLength: 1, maxLength: 100 }),
      content: text('message', 'What was said.'),
      resource: use(RESOURCE, 'Where the message can be fetched.'),
    },
  }),
} as const satisfies EventTypeFamily
