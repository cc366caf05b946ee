import { EVENT_ID_PATTERN } from '../contract/ids.ts'
import { ownFact, type EventTypeFamily } from './event-type.ts'
import { constant, integer, oneOf, producerId, text, time } from './field.ts'

const ID = { minLength: 1, maxLength: 128 }
/** Room for codes to come: these sets grow with the service, so they are not closed here. */
const CODE = { minLength: 1, maxLength: 64 }

const endpointId = text('public', 'The endpoint.', ID)
const endpointStatus = 'The status of the endpoint, from now on.'
const failingSince = time('public', 'Since when nothing was delivered to it.')
const lastAttempt = {
  last_outcome: text('public', 'How the last attempt ended, such as timeout. More codes may come.', CODE),
  last_status_code: integer('public', 'The HTTP status of the last answer.', { minimum: 100, maximum: 999 }),
}
const pendingDeliveries = integer('public', 'How many of its deliveries have not ended.', { minimum: 0 })
const delivery = {
  delivery_id: text('public', 'The delivery.', ID),
  endpoint_id: endpointId,
  event_id: text('public', 'The event that was not delivered.', { pattern: EVENT_ID_PATTERN.source }),
}
const reason = text('public', 'Why the delivery ended, such as attempts_exhausted. More codes may come.', CODE)
const attemptCount = integer('public', 'How many attempts it had.', { minimum: 0 })

/**
 * What the service says of itself. Producers cannot publish these; endpoints get them only where they name them; none is
 * sent about the delivery of another of these.
 */
export const SERVICE_EVENT_TYPES = {
  'runbell.endpoint.failing': ownFact('Nothing has been delivered to an endpoint for a while.', {
    required: {
      endpoint_id: endpointId,
      status: constant('public', endpointStatus, 'enabled'),
      failing_since: failingSince,
      percent_elapsed: integer('public', 'How much of the time until it is disabled has passed.', {
        minimum: 0,
        maximum: 100,
      }),
    },
    optional: {
      disabled_at: time('public', 'When it will be disabled unless something is delivered before.'),
      pending_deliveries: pendingDeliveries,
      ...lastAttempt,
    },
  }),
  'runbell.endpoint.disabled': ownFact('An endpoint was disabled: it gets no new events.', {
    required: {
      endpoint_id: endpointId,
      status: constant('public', endpointStatus, 'disabled'),
      reason: text('public', 'Why, such as gone. More codes may come.', CODE),
    },
    optional: {
      failing_since: failingSince,
      pending_deliveries: pendingDeliveries,
      pending_until: time('public', 'When its pending deliveries end unless it is enabled before.'),
      ...lastAttempt,
    },
  }),
  'runbell.endpoint.recovered': ownFact('A failing endpoint takes events again.', {
    required: { endpoint_id: endpointId, status: constant('public', endpointStatus, 'enabled') },
    optional: { failing_since: failingSince, pending_deliveries: pendingDeliveries },
  }),
  'runbell.delivery.dead_lettered': ownFact('A delivery became a dead letter.', {
    required: {
      ...delivery,
      event_type: text('public', 'The type of that event.', { minLength: 1, maxLength: 100 }),
      status: constant('public', 'The status of the delivery.', 'dead_lettered'),
      reason,
      attempt_count: attemptCount,
    },
    optional: { run_id: producerId('public', 'The run that event is about.'), ...lastAttempt },
  }),
  'runbell.approval.undelivered': ownFact('A request for an approval ended without reaching an endpoint.', {
    required: {
      approval_id: producerId('public', 'The approval nobody was told of there.'),
      ...delivery,
      status: oneOf('public', 'The status of the delivery.', ['dead_lettered', 'cancelled', 'expired']),
      reason,
    },
    optional: {
      run_id: producerId('public', 'The run that waits for it.'),
      expires_at: time('public', 'Until when it can be decided.'),
      attempt_count: attemptCount,
      ...lastAttempt,
    },
  }),
  'runbell.ping': ownFact('Somebody asked whether an endpoint can be reached.', {
    required: { endpoint_id: endpointId },
  }),
} as const satisfies EventTypeFamily
