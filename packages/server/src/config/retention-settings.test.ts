import { describe, expect, test } from 'vitest'
import { DAY } from '../core/schedule.ts'
import { loadSettings } from './load.ts'

const load = (environment: Record<string, string>) => loadSettings('start', {}, environment).settings

describe('how long things are kept', () => {
  test('is 30 days, the audit log 400', () => {
    const { retentionEvents, retentionBodies, retentionAttempts, retentionIdempotency, retentionAudit } = load({})
    const month = { live: 30 * DAY, test: 30 * DAY }
    for (const times of [retentionEvents, retentionBodies, retentionAttempts, retentionIdempotency]) {
      expect(times).toEqual(month)
    }
    expect(retentionAudit).toEqual({ live: 400 * DAY, test: 400 * DAY })
  })

  test('can be given for both modes, or for each', () => {
    expect(load({ RUNBELL_RETENTION_EVENTS: '90d' }).retentionEvents).toEqual({ live: 90 * DAY, test: 90 * DAY })
    expect(load({ RUNBELL_RETENTION_EVENTS: 'live=90d' }).retentionEvents).toEqual({ live: 90 * DAY, test: 30 * DAY })
    const times = load({ RUNBELL_RETENTION_BODIES: ' test=12h , live=7d ' }).retentionBodies
    expect(times).toEqual({ live: 7 * DAY, test: DAY / 2 })
  })

  test.each(['', '30', 'forever', '0s', '3651d', 'prod=3d', 'live=', 'live=3d,,test=1d'])('cannot be "%s"', (text) => {
    expect(() => load({ RUNBELL_RETENTION_BODIES: text })).toThrow(/^RUNBELL_RETENTION_BODIES=.*such as 30d/)
  })

  test('is refused where repeated publishes would be forgotten before they are promised to be', () => {
    const events = { RUNBELL_RETENTION_EVENTS: 'live=7d' }
    expect(() => load(events)).toThrow(
      'RUNBELL_RETENTION_EVENTS keeps live events for 7d, and RUNBELL_RETENTION_IDEMPOTENCY promises to recognise repeated ' +
        'ones for 30d, which takes the events: keep them as long, or promise less',
    )
    expect(load({ ...events, RUNBELL_RETENTION_IDEMPOTENCY: 'live=7d' }).retentionEvents.live).toBe(7 * DAY)
  })
})
