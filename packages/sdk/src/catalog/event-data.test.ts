import { describe, expectTypeOf, it } from 'vitest'
import type { Envelope } from '../contract/index.ts'
import type { DataOf, EventDataByType, EventMatching, EventOf, EventTypeName, ServiceEventDataByType } from './index.ts'

describe('the types of the data', () => {
  it('have what is required, what is optional, and nothing else', () => {
    expectTypeOf<EventDataByType['agent.run.queued']>().toEqualTypeOf<{
      status: 'queued'
      trigger?: 'user' | 'schedule' | 'event' | 'api' | 'agent'
    }>()
    expectTypeOf<EventDataByType['agent.approval.expired']>().toEqualTypeOf<{
      approval_id: string
      status: 'expired'
      expired_at: string
      tool_call_id?: string
      consequence?: 'deny' | 'cancel_run'
    }>()
    expectTypeOf<keyof EventDataByType['agent.run.resumed']>().toEqualTypeOf<'status' | 'resumed_after'>()
    expectTypeOf<ServiceEventDataByType['runbell.ping']>().toEqualTypeOf<{ endpoint_id: string }>()
  })

  it('reach into definitions, objects and lists', () => {
    expectTypeOf<EventDataByType['agent.run.failed']['error']['retryable']>().toEqualTypeOf<boolean>()
    type Usage = NonNullable<EventDataByType['agent.run.completed']['usage']>
    expectTypeOf<NonNullable<Usage['cost']>>().toEqualTypeOf<{ amount: string; currency: string }>()
    type Detail = NonNullable<EventDataByType['agent.approval.requested']['details']>[number]
    expectTypeOf<Detail['label']>().toEqualTypeOf<string>()
    expectTypeOf<EventDataByType['agent.approval.requested']['options']>().toEqualTypeOf<
      ('approve' | 'deny' | 'edit' | 'cancel')[]
    >()
    expectTypeOf<EventDataByType['agent.run.started']>().toHaveProperty('input').toEqualTypeOf<unknown>()
  })

  it('are there for every type of producers, and not for the service’s', () => {
    expectTypeOf<EventTypeName>().toExtend<`agent.${string}`>()
    expectTypeOf<'agent.task.cancelled'>().toExtend<EventTypeName>()
    expectTypeOf<'runbell.ping'>().not.toExtend<EventTypeName>()
  })

  it('are unknown for types of the producer’s own', () => {
    expectTypeOf<DataOf<'acme.invoice.drafted'>>().toEqualTypeOf<unknown>()
    expectTypeOf<DataOf<string>>().toEqualTypeOf<unknown>()
    expectTypeOf<DataOf<'agent.task.created'>>().toEqualTypeOf<EventDataByType['agent.task.created']>()
  })
})

describe('the types of events', () => {
  it('have the ids that join them', () => {
    expectTypeOf<EventOf<'agent.run.queued'>['run_id']>().toEqualTypeOf<string>()
    expectTypeOf<EventOf<'agent.run.queued'>['sequence']>().toEqualTypeOf<number>()
    expectTypeOf<EventOf<'agent.task.created'>['task_id']>().toEqualTypeOf<string>()
    expectTypeOf<EventOf<'runbell.ping'>['run_id']>().toEqualTypeOf<string | undefined>()
  })

  it('follow from a pattern', () => {
    expectTypeOf<EventMatching<'agent.message.sent'>['type']>().toEqualTypeOf<'agent.message.sent'>()
    expectTypeOf<
      EventMatching<'agent.approval.*'>['type']
    >().toEqualTypeOf<`agent.approval.${'requested' | 'approved' | 'denied' | 'expired' | 'cancelled'}`>()
    expectTypeOf<
      EventMatching<'agent.*.failed'>['type']
    >().toEqualTypeOf<`agent.${'run' | 'tool_call' | 'task'}.failed`>()
    expectTypeOf<EventMatching<'runbell.endpoint.*'>['data']>().toExtend<{ endpoint_id: string }>()
    expectTypeOf<EventMatching<'*'>>().toEqualTypeOf<Envelope>()
    expectTypeOf<EventMatching<'acme.*'>>().toEqualTypeOf<Envelope>()
    expectTypeOf<EventMatching<string>>().toEqualTypeOf<Envelope>()
  })

  it('are told apart by their type', () => {
    const readError = (event: EventMatching<'agent.run.*'>) =>
      event.type === 'agent.run.failed' ? event.data.error.code : null
    expectTypeOf(readError).returns.toExtend<string | null>()
  })
})
