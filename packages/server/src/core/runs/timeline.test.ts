import { describe, expect, it } from 'vitest'
import { gapsOf, timelineOf, type TimelineEvent } from './timeline.ts'

const NONE = { total: 0, delivered: 0, pending: 0, dead_lettered: 0, cancelled: 0, expired: 0 }

type Told = [type: string, more?: Partial<TimelineEvent>]

function events(...told: Told[]): TimelineEvent[] {
  return told.map(([type, more], index) => ({
    ...{ eventId: `evt_${index + 1}`, type: `agent.${type}`, sequence: index + 1, recordedAt: 1000 + index },
    ...{ timestamp: 100 + index, subject: null, status: null, title: null, deliveries: NONE, ...more },
  }))
}

const call = (id: string, more: Partial<TimelineEvent> = {}) => ({
  subject: { kind: 'tool_call' as const, id },
  ...more,
})
const approval = (id: string, more: Partial<TimelineEvent> = {}) => ({
  subject: { kind: 'approval' as const, id },
  ...more,
})

describe('a timeline', () => {
  it('has a row for everything the run is about, in the order of their first events', () => {
    const rows = timelineOf(
      'r',
      events(
        ['run.started', { status: 'running' }],
        ['tool_call.started', call('1', { status: 'running', title: 'refund' })],
        ['tool_call.started', call('2', { status: 'running', title: 'mail' })],
        ['approval.requested', approval('1', { status: 'pending' })],
        ['tool_call.completed', call('1', { status: 'completed' })],
        ['memory.updated'],
        ['run.completed', { status: 'completed' }],
      ),
      true,
    )
    expect(rows.map(({ kind, id, title, status }) => [kind, id, title, status])).toEqual([
      ['run', 'r', 'run', 'completed'],
      ['tool_call', '1', 'refund', 'completed'],
      ['tool_call', '2', 'mail', 'running'],
      ['approval', '1', 'approval', 'pending'],
      ['event', 'evt_6', 'agent.memory.updated', null],
    ])
    expect(rows.map(({ startedAt, endedAt }) => [startedAt, endedAt])).toEqual([
      [100, 106],
      [101, 104],
      [102, null],
      [103, null],
      [105, 105],
    ])
    expect(rows.flatMap((row) => row.events)).toHaveLength(7)
  })

  it('names ends that never came once the run has ended, and none before', () => {
    const open = events(['run.started'], ['tool_call.started', call('1')], ['approval.requested', approval('1')])
    expect(timelineOf('r', open, false).map(({ missing }) => missing)).toEqual([null, null, null])
    expect(timelineOf('r', open, true).map(({ missing }) => missing)).toEqual([null, 'end', 'end'])
  })

  it('names beginnings that never came', () => {
    const told = events(
      ['approval.approved', approval('1')],
      ['tool_call.denied', call('1')],
      ['tool_call.completed', call('2')],
      ['run.failed'],
    )
    expect(timelineOf('r', told, true).map(({ missing }) => missing)).toEqual(['start', null, null, 'start'])
  })

  it('calls nothing missing that may be in another part of the run', () => {
    const told = events(
      ['tool_call.started', call('1')],
      ['approval.approved', approval('1')],
      ['run.completed', { status: 'completed' }],
    )
    const missing = (isFirst: boolean, isLast: boolean) =>
      timelineOf('r', told, true, { isFirst, isLast }).map((row) => row.missing)
    expect(missing(true, true)).toEqual(['end', 'start', 'start'])
    expect(missing(true, false)).toEqual([null, 'start', 'start'])
    expect(missing(false, true)).toEqual(['end', null, null])
  })

  it('keeps an end, whatever comes after it', () => {
    const told = events(
      ['run.started', { status: 'running' }],
      ['run.failed', { status: 'timed_out' }],
      ['run.resumed', { status: 'running' }],
    )
    expect(timelineOf('r', told, true)).toMatchObject([{ status: 'timed_out', endedAt: 101 }])
  })

  it('shows an event whose payload is gone by its type', () => {
    const told = events(['tool_call.completed', { timestamp: null }])
    const row = { kind: 'event', id: 'evt_1', title: 'agent.tool_call.completed', startedAt: null, endedAt: 1000 }
    expect(timelineOf('r', told, true)).toMatchObject([row])
  })

  it('tells two things of one id apart', () => {
    const told = events(['tool_call.started', call('x')], ['approval.requested', approval('x')])
    expect(timelineOf('x', told, false).map(({ kind }) => kind)).toEqual(['tool_call', 'approval'])
  })
})

describe('gaps', () => {
  const at = (...places: number[]) => places.map((sequence) => ({ sequence }))
  it.each([
    [at(1, 2, 3), 0, []],
    [
      at(3, 4, 9),
      0,
      [
        { from: 1, to: 2 },
        { from: 5, to: 8 },
      ],
    ],
    [at(8), 7, []],
    [at(), 4, []],
  ])('of %j after %i are %j', (told, after, gaps) => expect(gapsOf(told, after)).toEqual(gaps))
})
