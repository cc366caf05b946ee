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
    'acme.machine.shut_down',
    'acme.password.reset',
    'acme.job.run',
    'acme.mail.resent',
    'acme.order.ready_for_pickup',
    'acme.message.read_by_agent',
    'acme.user.signed_up',
    `acme.${'a'.repeat(93)}ed`,
  ])('may be %s', (name) => {
    expect(typeNameProblem(name)).toBeNull()
  })

  it.each([
    ['acme.send_email', 'no fact', 'acme.email.sent'],
    ['acme.invoice.create', 'no fact', 'acme.invoice.created'],
    ['acme.invoice.creating', 'no fact', 'acme.invoice.created'],
    ['acme.customer.notify', 'no fact', 'acme.customer.notified'],
    ['acme.order.cancel', 'no fact', 'acme.order.cancelled'],
    ['acme.order.pay', 'no fact', 'acme.order.paid'],
    ['acme.index.build', 'no fact', 'acme.index.built'],
    ['acme.order', 'no fact', 'acme.ordered'],
    ['acme.order.notify', 'no fact', 'acme.order.notified'],
    ['acme.sendEmail', 'segments', 'acme.email.sent'],
    ['acme.orderCancelled', 'segments', 'acme.order_cancelled'],
    ['acme.set_price', 'no fact', 'acme.price.set'],
    ['acme.reset_password', 'no fact', 'acme.password.reset'],
    ['acme.read_file', 'no fact', 'acme.file.read'],
    ['acme.empty_cart', 'no fact', 'acme.cart.emptied'],
    ['acme.vector.embed', 'no fact', 'acme.vector.embedded'],
    ['acme.payment.succeed', 'no fact', 'acme.payment.succeeded'],
    ['acme.rss.feed', 'no fact', 'acme.rss.fed'],
    ['acme.job.stop', 'no fact', 'acme.job.stopped'],
    ['acme.form.submit', 'no fact', 'acme.form.submitted'],
    ['acme.incident.break', 'no fact', 'acme.incident.broken'],
    ['acme.email.resend', 'no fact', 'acme.email.resent'],
    ['acme.user.sign_up', 'no fact', 'acme.user.signed_up'],
    ['acme.device.open', 'no fact', 'acme.device.opened'],
    ['acme.trip.play', 'no fact', 'acme.trip.played'],
    // With a segment more it would have six.
    ['a.b.c.d.send_email', 'no fact', 'a.b.c.d.email_sent'],
    // The fact would be too long.
    [`acme.${'a'.repeat(87)}.notify`, 'no fact', null],
    ['agent.send_email', 'reserved', 'acme.email.sent'],
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
    ['acme.a_', 'no fact', null],
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
      'a.b.c.d.set_price',
      'acme.x',
      'acme.v2',
      'acme.undo_redo',
      'acme.log_in',
    ]) {
      const suggestion = typeNameProblem(name)?.suggestion ?? null
      expect([name, suggestion === null ? null : typeNameProblem(suggestion)]).toEqual([name, null])
    }
  })

  it('takes the last segment of every built-in type for a fact', () => {
    for (const name of BUILT_IN_TYPES.keys()) expect(typeNameProblem(name.replace('agent.', 'acme.'))).toBeNull()
  })
})
