import type { AttemptView, DeliveryView, Page } from '@runbell/sdk/contract'
import type { AttemptLine } from '../../delivery/run-delivery.ts'
import { CliError } from '../cli-error.ts'
import type { DemoReceiver } from './demo-receiver.ts'
import type { Stage } from './stage.ts'

/** What could not be delivered, and why: as the API tells it. */
export async function showDeadLetter({ screen, server, receivers }: Stage): Promise<DeliveryView> {
  const { data } = await server.api.get<Page<DeliveryView>>('/v1/dead-letters')
  const delivery = data.find(({ endpoint_id: id }) => receivers.has(id))
  if (delivery === undefined) throw wentWrong('there is no dead letter')
  const { name } = receivers.get(delivery.endpoint_id) as DemoReceiver
  const attempts = await server.api.get<Page<AttemptView>>(`/v1/deliveries/${delivery.id}/attempts`)
  const last = attempts.data.at(-1)
  screen.line()
  screen.line(screen.paint(['bold', 'red'], `Dead letter: ${name} did not take ${delivery.event_type}`))
  screen.line(
    `  reason     ${delivery.reason}: ${attempts.data.length} attempts, the last answered ${last?.status_code}`,
  )
  if (last?.diagnosis != null) screen.line(`  diagnosis  ${last.diagnosis.title}`)
  if (name !== 'old-crm' || delivery.reason !== 'attempts_exhausted') throw wentWrong('another delivery has died')
  return delivery
}

/** Repairs the receiver, replays its dead letter, and replays to one who has the event already. */
export async function showReplay(stage: Stage, delivery: DeliveryView): Promise<void> {
  const { screen, receivers, watch } = stage
  const receiver = receivers.get(delivery.endpoint_id) as DemoReceiver
  receiver.repair()
  screen.line()
  screen.line(`${screen.paint('bold', 'old-crm is repaired.')} POST /v1/deliveries/${delivery.id}/replay`)
  const replayed = await replay(stage, delivery.id)
  const first = receiver.told(delivery.id, 1)
  const again = receiver.told(delivery.id, replayed.number)
  const same = first !== null && first.sha256 === again?.sha256 && first.sha256 === delivery.body_sha256
  screen.line(`  SHA-256 of attempt 1   ${first?.sha256}`)
  screen.line(`  SHA-256 of the replay  ${again?.sha256}`)
  screen.line(
    same ? `  ${screen.paint('green', 'the same bytes')}, signed anew` : screen.paint('red', '  the bytes differ'),
  )
  if (!same || !again.verified || again.duplicate) throw wentWrong('the replay did not bring the same bytes once')

  const other = watch.lines.find((line) => line.eventId === delivery.event_id && isDeliveredTo(stage, line, 'billing'))
  if (other === undefined) throw wentWrong('billing did not get the event')
  screen.line()
  screen.line('billing has this event already. Replayed to it, it is recognised by its id:')
  const repeated = await replay(stage, other.deliveryId)
  if (receivers.get(other.endpointId)?.told(other.deliveryId, repeated.number)?.duplicate !== true) {
    throw wentWrong('billing did not recognise the duplicate')
  }
}

function isDeliveredTo({ receivers }: Stage, line: AttemptLine, name: string): boolean {
  return receivers.get(line.endpointId)?.name === name && line.verdict === 'delivered'
}

/** Asks for a replay and waits until it is delivered. */
async function replay({ server, watch, replayed }: Stage, deliveryId: string): Promise<AttemptLine> {
  replayed.add(deliveryId)
  const before = watch.lines.length
  await server.api.post(`/v1/deliveries/${deliveryId}/replay`)
  const isIt = (line: AttemptLine) => line.deliveryId === deliveryId && line.verdict === 'delivered'
  await watch.until('the replay', (lines) => lines.slice(before).some(isIt))
  return watch.lines.slice(before).find(isIt) as AttemptLine
}

export function wentWrong(what: string): CliError {
  return new CliError(`the demonstration did not go as it must: ${what}`)
}
