import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import { describe, expect, it } from 'vitest'
import { typeNameProblem } from './type-name.ts'

describe('the name of a type', () => {
  it.each([
    'acme.invoice.drafted',
    'acme.invoice.paid',
    'acme.order.sent_back',
    'billing.shipped',
    'acme.a1.b_2.c.overdue',
    'acme.parcel.lost',
    'acme.machine.offline',
    'acme.order.partially_refunded',
    'agents.order.shipped',
    'acme.queue.empty',
  ])('may be %s', (name) => {
    expect(typeNameProblem(name)).toBeNull()
  })

  it.each([
    ['acme.send_email', 'no fact', 'acme.email.sent'],
    ['acme.invoice.create', 'no fact', 'acme.invoice.created'],
    ['acme.invoice.creating', 'no fact', 'acme.invoice.created'],
    ['acme.customer.notify', 'no fact', 'acme.customer.notified'],
    ['acme.order.cancel', 'no fact', 'acme.order.canceled'],
    ['acme.order.pay', 'no fact', 'acme.order.paid'],
    ['acme.index.build', 'no fact', 'acme.index.built'],
    ['acme.order', 'no fact', 'acme.ordered'],
    ['agent.invoice.drafted', 'reserved', 'acme.invoice.drafted'],
    ['runbell.invoice.drafted', 'reserved', 'acme.invoice.drafted'],
    ['diagnostic.invoice.drafted', 'reserved', 'acme.invoice.drafted'],
    ['Acme.Invoice.Drafted', 'segments', 'acme.invoice.drafted'],
    ['acme.invoiceDrafted', 'segments', 'acme.invoice_drafted'],
    ['acme.invoice-drafted', 'segments', 'acme.invoice_drafted'],
    ['drafted', 'segments', null],
    ['a.b.c.d.e.drafted', 'segments', null],
    ['acme..drafted', 'segments', null],
    ['acme.1invoice.drafted', 'segments', null],
    ['acme.*', 'segments', null],
    ['', 'segments', null],
    [`acme.${'a'.repeat(94)}ed`, '100', null],
  ])('may not be %s', (name, message, suggestion) => {
    const problem = typeNameProblem(name)
    expect(problem?.message).toContain(message)
    expect(problem?.suggestion ?? null).toBe(suggestion)
  })

  it('suggests only names that may be', () => {
    for (const name of [
      'acme.send_email',
      'acme.run_job',
      'acme.Order.Create',
      'agent.x.made',
      'acme.try',
      'acme.stop',
    ]) {
      const suggestion = typeNameProblem(name)?.suggestion ?? null
      if (suggestion !== null) expect([name, typeNameProblem(suggestion)]).toEqual([name, null])
    }
  })

  it('takes the last segment of every built-in type for a fact', () => {
    for (const name of BUILT_IN_TYPES.keys()) expect(typeNameProblem(name.replace('agent.', 'acme.'))).toBeNull()
  })
})
