import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { publishServer, runbellWith } from '../../test/publish-server.ts'
import { onceEventId, traceIdOf, type StandardSchema } from './index.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

describe('the trace', () => {
  it.each([
    [`00-${TRACE}-00f067aa0ba902b7-01`, TRACE],
    [`01-${TRACE}-00f067aa0ba902b7-01-more`, TRACE],
    [`00-${TRACE}-00f067aa0ba902b7-01-more`, null],
    [`ff-${TRACE}-00f067aa0ba902b7-01`, null],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, null],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
    [`00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`, null],
    ['', null],
    [undefined, null],
  ])('of traceparent %s is %s', (header, expected) => {
    expect(traceIdOf(header)).toBe(expected)
  })

  it('goes with an event: its own, that of its header, that of the surroundings', async () => {
    const server = publishServer()
    const around = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`
    const { runbell } = runbellWith(server, { traceparent: () => around })
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`
    await runbell.emit('acme.x.one', { trace_id: 'b'.repeat(32), traceparent, data: {} })
    await runbell.emit('acme.x.one', { traceparent, data: {} })
    await runbell.emit('acme.x.one', { data: {} })
    expect(server.posted().map(({ trace_id }) => trace_id)).toEqual(['b'.repeat(32), TRACE, 'a'.repeat(32)])
    expect(server.posted().every((event) => !('traceparent' in event))).toBe(true)
  })
})

describe('the producer’s own types', () => {
  const schemas = {
    'acme.invoice.drafted': z.object({ amount: z.string(), status: z.literal('open').default('open') }),
  }

  it('are typed by their schemas, checked, and sent with their defaults', async () => {
    const server = publishServer()
    const { runbell, lost, errors } = runbellWith(server, { schemas })
    await runbell.emit('acme.invoice.drafted', { data: { amount: '84.00' } })
    // @ts-expect-error -- another type of amount
    await runbell.emit('acme.invoice.drafted', { data: { amount: 84 } })
    await runbell.emit('acme.other.thing', { data: { anything: 1 } })
    // @ts-expect-error -- the built-in types stay what they are
    await runbell.emit('agent.run.started', { run_id: 'run_1', data: { status: 'done' } })
    expect(server.posted()[0]?.data).toEqual({ amount: '84.00', status: 'open' })
    expect(lost).toEqual([['schema_mismatch', 'acme.invoice.drafted']])
    expect(errors[0]?.message).toContain('/data/amount')
    expectTypeOf(schemas['acme.invoice.drafted']).toExtend<StandardSchema>()
  })

  it('say where data is wrong and nothing of what it is', async () => {
    const leaking: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => ({ issues: [{ message: `got ${JSON.stringify(value)}`, path: ['a/b', { key: 0 }] }] }),
      },
    }
    const { runbell, errors } = runbellWith(publishServer(), { schemas: { 'acme.x.one': leaking } })
    await runbell.emit('acme.x.one', { data: 'hunter2' })
    expect(errors[0]).toMatchObject({ code: 'schema_mismatch' })
    expect(errors[0]).not.toHaveProperty('cause')
    expect(errors[0]?.message).toContain('/data/a~1b/0')
    expect(JSON.stringify([errors[0]?.message, errors[0]?.fix])).not.toContain('hunter2')
  })

  it('cannot be checked asynchronously, nor by a schema that throws', async () => {
    const check = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
      '~standard': { version: 1, vendor: 'test', validate },
    })
    const slow = check(() => Promise.reject(new Error('x')))
    const broken = check(() => {
      throw new Error('x')
    })
    const { runbell, lost } = runbellWith(publishServer(), {
      schemas: { 'acme.x.slow': slow, 'acme.x.broken': broken },
    })
    expect(await runbell.emit('acme.x.slow', { data: {} })).toBeNull()
    expect(await runbell.emit('acme.x.broken', { data: {} })).toBeNull()
    expect(lost.map(([code]) => code)).toEqual(['schema_is_async', 'not_serialisable'])
  })
})

describe('the id of a once-only fact', () => {
  const fact = { type: 'agent.tool_call.started', run_id: 'run_1', child_id: 'call_1', n: 1 }

  it('follows from run, type, child and n alone', () => {
    // sha256 of ["run_1","agent.tool_call.started","call_1",1], by another tool
    const expected = 'once_DZska_fPsrR-F_mEPSCaP8RvIkOI0r6AxqBHd_sK_xo'
    expect([onceEventId('test', fact), onceEventId('live', fact)]).toEqual([`evt_test_${expected}`, `evt_${expected}`])
  })

  it('differs where any of them does, also where signs could be moved between them', () => {
    const other = [
      { ...fact, n: 2 },
      { ...fact, child_id: 'call_2' },
      { ...fact, run_id: 'run_2' },
      { ...fact, type: 'agent.tool_call.failed' },
      { type: 'agent.tool_call.started', run_id: 'run_1:call', child_id: '_1', n: 1 },
      { type: 'agent.tool_call.started', run_id: 'run_1', child_id: 'call_', n: 11 },
    ]
    expect(new Set([fact, ...other].map((one) => onceEventId('test', one))).size).toBe(7)
  })

  it('needs a run or a task', async () => {
    const server = publishServer()
    const { runbell, lost } = runbellWith(server)
    await runbell.emit('acme.x.one', { data: {} }, { once: true })
    await runbell.emit('agent.task.created', { task_id: 'task_1', data: { status: 'queued' } }, { once: true })
    expect(lost).toEqual([['run_missing', 'acme.x.one']])
    expect(server.posted()[0]?.event_id).toBe(onceEventId('test', { type: 'agent.task.created', run_id: 'task_1' }))
  })
})
