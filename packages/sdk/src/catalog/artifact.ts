import { RESOURCE } from './definitions.ts'
import { runFact, type EventTypeFamily } from './event-type.ts'
import { anything, constant, integer, producerId, text, use } from './field.ts'

/** Every artifact type. */
export const ARTIFACT_TYPES = {
  'agent.artifact.created': runFact('The agent produced a file or document.', {
    required: {
      artifact_id: producerId('public', 'The artifact.'),
      status: constant('public', 'The state of the artifact.', 'completed'),
      media_type: text('public', 'Its media type, such as application/pdf.', { minLength: 1, maxLength: 127 }),
    },
    optional: {
      size_bytes: integer('public', 'Its size in bytes.', { minimum: 0 }),
      digest: text('public', 'SHA-256 of its bytes, in unpadded base64url.', {
        pattern: '^sha256:[A-Za-z0-9_-]{43}$',
      }),
      name: text('document', 'Its file name.', { minLength: 1, maxLength: 255 }),
      content: anything('document', 'What is in it, where it is small.'),
      resource: use(RESOURCE, 'Where it can be fetched.'),
    },
  }),
} as const satisfies EventTypeFamily
