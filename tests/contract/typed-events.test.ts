import { Runbell } from '@runbell/sdk/emit'
import { createReceiver } from '@runbell/sdk/receive'
import { describe, expect, expectTypeOf, it } from 'vitest'

/* What `runbell catalog types` writes for a producer's own types does this. */
declare module '@runbell/sdk/catalog' {
  interface OwnEventDataByType {
    'typed.parcel.sent': { carrier: string; weight?: number }
  }
}

const runbell = new Runbell({
  url: 'http://127.0.0.1:1',
  key: 'rb_test_x',
  defaultAgent: { id: 'a' },
  retries: 0,
  onError: () => undefined,
  schemaVersions: { 'typed.parcel.sent': 2 },
  fetch: (_url, init) => {
    bodies.push(JSON.parse(init.body ?? ''))
    return Promise.resolve(new Response('{"event_id":"evt_x"}', { status: 202 }))
  },
})
const bodies: { schema_version: number }[] = []

describe('emit', () => {
  it('knows the data and the ids of built-in types', () => {
    // Never called: the compiler is what is tested.
    void (() => {
      void runbell.emit('agent.run.started', { run_id: 'r', data: { status: 'running' } })
      // @ts-expect-error -- another status
      void runbell.emit('agent.run.started', { run_id: 'r', data: { status: 'done' } })
      // @ts-expect-error -- no run_id
      void runbell.emit('agent.run.started', { data: { status: 'running' } })
      // @ts-expect-error -- a field that the type does not have
      void runbell.emit('agent.run.started', { run_id: 'r', data: { status: 'running', colour: 'red' } })
      void runbell.emit('agent.task.created', { task_id: 't', data: { status: 'queued' } })
      // @ts-expect-error -- a required field is missing
      void runbell.emit('typed.parcel.sent', { data: {} })
      void runbell.emit('typed.parcel.lost', { data: { anything: 1 } })
    })
    expectTypeOf(runbell.emit).parameter(0).toExtend<string>()
  })

  it('sends the version that the types are of', async () => {
    await runbell.emit('typed.parcel.sent', { data: { carrier: 'DHL' } })
    await runbell.emit('typed.parcel.lost', { data: {} })
    await runbell.emit('typed.parcel.sent', { schema_version: 1, data: { carrier: 'DHL' } })
    expect(bodies.map(({ schema_version }) => schema_version)).toEqual([2, 1, 1])
  })
})

describe('a receiver', () => {
  it('knows what its handlers get, from the pattern', () => {
    const receiver = createReceiver({ secrets: `whsec_${'A'.repeat(43)}=` })
    receiver
      .on('agent.run.failed', (event) => {
        expectTypeOf(event.data.error.code).toExtend<string>()
        expectTypeOf(event.run_id).toEqualTypeOf<string>()
      })
      .on('agent.run.*', (event) => {
        if (event.type === 'agent.run.waiting') expectTypeOf(event.data.status).toEqualTypeOf<'waiting'>()
      })
      .on('typed.parcel.sent', (event) => {
        expectTypeOf(event.data).toEqualTypeOf<{ carrier: string; weight?: number }>()
      })
      .on('typed.parcel.lost', (event) => {
        expectTypeOf(event.data).toEqualTypeOf<unknown>()
      })
      .on<{ n: number }>('typed.parcel.*', (event) => {
        expectTypeOf(event.data).toEqualTypeOf<{ n: number }>()
      })
    expect(receiver).toBeDefined()
  })
})
