import { SERVICE_TYPES } from '@runbell/sdk/catalog'
import { ATTEMPT_OUTCOMES, DELIVERY_REASONS, EVENT_ID_PATTERN } from '@runbell/sdk/contract'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { accepted, text } from '../../test/checked.ts'
import type { Unannounced } from '../store/rows.ts'
import { undeliveredApproval } from './undelivered-approval.ts'

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
const validate = ajv.compile(SERVICE_TYPES.get('runbell.approval.undelivered')?.versions[0]?.schema ?? false)

const REQUEST = {
  event_id: 'evt_request00001',
  type: 'agent.approval.requested',
  data: { approval_id: 'apr_1', expires_at: '2026-01-05T13:00:00+01:00', summary: 'Refund?' },
}

function bodyWith(data: Record<string, unknown>, envelope: Record<string, unknown> = {}): Uint8Array {
  return Buffer.from(JSON.stringify({ ...REQUEST, ...envelope, data: { ...REQUEST.data, ...data } }))
}

function delivery(input: Partial<Unannounced> = {}): Unannounced {
  return {
    position: 7,
    deliveryId: 'dlv_01m84b6sk8e3vty0w2j4n6p8q1',
    endpointId: 'ep_01m6n0z8w4fzqa6s2v7c9d3e5h',
    tenantId: 'acme',
    mode: 'live',
    eventId: 'evt_request00001',
    runId: 'run-1',
    status: 'expired',
    reason: 'deadline_passed',
    attemptCount: 2,
    replays: 0,
    lastOutcome: 'timeout',
    body: bodyWith({}),
    ...input,
  }
}

interface ServiceEvent {
  event_id: string
  type: string
  data: Record<string, unknown>
}

/** What is published: checked as publishing checks it, and its data held against the schema by another path. */
function published(input: Partial<Unannounced> = {}): ServiceEvent {
  const one = delivery(input)
  const bytes = undeliveredApproval(one)
  accepted(bytes, { mode: one.mode, internal: true })
  const event = JSON.parse(text(bytes)) as ServiceEvent
  expect(validate(event.data), JSON.stringify(validate.errors)).toBe(true)
  expect(event.event_id).toMatch(EVENT_ID_PATTERN)
  return event
}

describe('runbell.approval.undelivered', () => {
  it('tells what was asked for, which delivery of it ended, and how', () => {
    expect(published()).toEqual({
      event_id: 'evt_undelivered_01m84b6sk8e3vty0w2j4n6p8q1_1',
      type: 'runbell.approval.undelivered',
      tenant_id: 'acme',
      agent: { id: 'runbell' },
      causation_id: 'evt_request00001',
      data: {
        approval_id: 'apr_1',
        delivery_id: 'dlv_01m84b6sk8e3vty0w2j4n6p8q1',
        endpoint_id: 'ep_01m6n0z8w4fzqa6s2v7c9d3e5h',
        event_id: 'evt_request00001',
        status: 'expired',
        reason: 'deadline_passed',
        run_id: 'run-1',
        expires_at: '2026-01-05T12:00:00.000Z',
        attempt_count: 2,
        last_outcome: 'timeout',
      },
    })
  })

  it('is valid for every way a delivery can end, with every outcome', () => {
    for (const status of ['dead_lettered', 'cancelled', 'expired'] as const) {
      for (const reason of [...DELIVERY_REASONS, null]) {
        for (const lastOutcome of [...ATTEMPT_OUTCOMES, null]) {
          const { data } = published({ status, reason, lastOutcome, attemptCount: lastOutcome === null ? 0 : 30 })
          expect(data).toMatchObject({ status, reason: reason ?? status })
        }
      }
    }
  })

  it('leaves out what there is not', () => {
    const body = Buffer.from('{"data":{"approval_id":"apr_1"}}')
    const { data } = published({ runId: null, lastOutcome: null, body })
    for (const name of ['run_id', 'last_outcome', 'expires_at']) expect(data).not.toHaveProperty(name)
  })

  it('takes the deadline of the envelope before that of the data, and none that is no time', () => {
    const envelope = { expires_at: '2026-01-05T11:00:00Z' }
    expect(published({ body: bodyWith({}, envelope) }).data['expires_at']).toBe('2026-01-05T11:00:00.000Z')
    for (const expires_at of ['tomorrow', 5, null]) {
      expect(published({ body: bodyWith({ expires_at }) }).data).not.toHaveProperty('expires_at')
    }
  })

  it('says so where a request that was only warned of came without an approval', () => {
    for (const approval_id of [undefined, '', 5, 'no spaces here', 'x'.repeat(129)]) {
      expect(published({ body: bodyWith({ approval_id }) }).data['approval_id']).toBe('unknown')
    }
  })

  it('has the same id and bytes each time, and other ones for another delivery, replay or mode', () => {
    expect(text(undeliveredApproval(delivery()))).toBe(text(undeliveredApproval(delivery())))
    const other = { deliveryId: 'dlv_01m84tv9vef7gsn5p3q8r0t2v6' }
    const test = { mode: 'test', deliveryId: 'dlv_test_01m84b6sk8e3vty0w2j4n6p8q1', replays: 99_999 } as const
    const inTest = published({ ...test, eventId: 'evt_test_request01' })
    expect(inTest.event_id).toBe('evt_test_undelivered_01m84b6sk8e3vty0w2j4n6p8q1_100000')
    const ids = [published(), published(other), published({ replays: 1 }), inTest].map(({ event_id }) => event_id)
    expect(new Set(ids).size).toBe(4)
  })
})
