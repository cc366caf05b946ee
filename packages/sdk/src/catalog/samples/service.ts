import type { SERVICE_EVENT_TYPES } from '../service.ts'
import { REFUNDED, UNDECIDED, UNDECIDED_APPROVAL } from './refund-desk.ts'
import { storyEventId, type SamplesOf } from './sample.ts'

const agent = { id: 'runbell' }

/** Did not answer for two days and a half, then came back. */
const SLOW_ENDPOINT = 'ep_01m6n0z8w4fzqa6s2v7c9d3e5h'
const SLOW_DELIVERY = 'dlv_01m84b6sk8e3vty0w2j4n6p8q1'
/** Was taken down: it answers 410. */
const GONE_ENDPOINT = 'ep_01m5k3c7x9e8mbt4r1g6h0j2ka'
const GONE_DELIVERY = 'dlv_01m84tv9vef7gsn5p3q8r0t2v6'

export const SERVICE_SAMPLES: SamplesOf<typeof SERVICE_EVENT_TYPES> = {
  'runbell.endpoint.failing': (id) => ({
    number: 30,
    timestamp: '2026-11-23T18:00:00.000Z',
    agent,
    data: {
      endpoint_id: id(SLOW_ENDPOINT),
      status: 'enabled',
      failing_since: '2026-11-21T06:00:00.000Z',
      percent_elapsed: 50,
      disabled_at: '2026-11-26T06:00:00.000Z',
      pending_deliveries: 214,
      last_outcome: 'timeout',
    },
  }),
  'runbell.approval.undelivered': (id) => ({
    number: 31,
    timestamp: '2026-11-23T18:05:00.000Z',
    agent,
    data: {
      approval_id: id(UNDECIDED_APPROVAL),
      delivery_id: id(SLOW_DELIVERY),
      endpoint_id: id(SLOW_ENDPOINT),
      // The request for it, which no sample shows.
      event_id: id(storyEventId(90)),
      status: 'expired',
      reason: 'deadline_passed',
      run_id: id(UNDECIDED.run),
      expires_at: '2026-11-23T18:05:00.000Z',
      attempt_count: 6,
      last_outcome: 'timeout',
    },
  }),
  'runbell.delivery.dead_lettered': (id) => ({
    number: 32,
    causedBy: 13,
    timestamp: '2026-11-23T18:31:47.310Z',
    agent,
    data: {
      delivery_id: id(GONE_DELIVERY),
      endpoint_id: id(GONE_ENDPOINT),
      event_id: id(storyEventId(13)),
      event_type: 'agent.run.completed',
      status: 'dead_lettered',
      reason: 'gone',
      attempt_count: 1,
      run_id: id(REFUNDED.run),
      last_outcome: 'http_error',
      last_status_code: 410,
    },
  }),
  'runbell.endpoint.disabled': (id) => ({
    number: 33,
    timestamp: '2026-11-23T18:31:47.312Z',
    agent,
    data: {
      endpoint_id: id(GONE_ENDPOINT),
      status: 'disabled',
      reason: 'gone',
      pending_deliveries: 2,
      pending_until: '2026-11-30T18:31:47.312Z',
      last_outcome: 'http_error',
      last_status_code: 410,
    },
  }),
  'runbell.ping': (id) => ({
    number: 34,
    timestamp: '2026-11-23T19:11:58.000Z',
    agent,
    data: { endpoint_id: id(SLOW_ENDPOINT) },
  }),
  'runbell.endpoint.recovered': (id) => ({
    number: 35,
    timestamp: '2026-11-23T19:12:30.120Z',
    agent,
    data: {
      endpoint_id: id(SLOW_ENDPOINT),
      status: 'enabled',
      failing_since: '2026-11-21T06:00:00.000Z',
      pending_deliveries: 213,
    },
  }),
}
