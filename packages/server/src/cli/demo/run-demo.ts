import type { EndpointView, EventView, Page } from '@runbell/sdk/contract'
import { Runbell } from '@runbell/sdk/emit'
import type { AttemptLine } from '../../delivery/run-delivery.ts'
import { attemptText, row, secondsText, verdictText } from '../attempt-text.ts'
import { CliError } from '../cli-error.ts'
import { createCountdown } from '../countdown.ts'
import type { Screen } from '../screen.ts'
import { createAttemptWatch, isLast } from './attempt-watch.ts'
import type { DemoServer } from './demo-server.ts'
import { openDemoReceiver, type DemoReceiver } from './demo-receiver.ts'
import { REFUND_AGENT, refundRun } from './refund-run.ts'
import { showDeadLetter, showReplay } from './show-replay.ts'
import type { Stage } from './stage.ts'
import { printDone, printIntroduction, printNext, printRun } from './demo-text.ts'

export interface Demo {
  /** @throws CliError that says what did not go as it must */
  shown: Promise<void>
  close(): Promise<void>
}

/** Attempts one and two fail, the third is about three seconds after the first. */
export const DEMO_SCHEDULE_MS = [1000, 2000]
const DESCRIPTION = 'demonstration: '

/** Delivers a refund agent's run to three receivers, one of which answers late and one of which cannot. */
export function runDemo(input: DemoServer & { screen: Screen; once: boolean; signal: AbortSignal }): Demo {
  const { screen, server, signal } = input
  const receivers = new Map<string, DemoReceiver>()
  const stage: Stage = {
    ...{ ...input, receivers, replayed: new Set() },
    watch: createAttemptWatch(signal),
    countdown: createCountdown(screen, () => server.runbell.clock.now()),
  }

  async function show(): Promise<void> {
    await openReceivers(stage)
    printIntroduction(stage)
    const runId = await publishRun(stage)
    const deadLetter = await showDeadLetter(stage)
    await showReplay(stage, deadLetter)
    const { data } = await server.api.get<Page<EventView>>(`/v1/events?run_id=${runId}`)
    printRun(stage, data.toReversed())
    printDone(stage)
    if (!input.once) printNext(stage)
  }

  return {
    shown: show().finally(() => stage.countdown.close()),
    async close() {
      await Promise.all([...receivers.values()].map((receiver) => receiver.close()))
    },
  }
}

async function openReceivers({ server, receivers }: Stage): Promise<void> {
  await removeEarlierEndpoints(server.api)
  const cast = [
    { name: 'billing', eventTypes: ['agent.tool_call.completed', 'agent.run.completed'] },
    {
      name: 'support-desk',
      eventTypes: ['agent.approval.*', 'agent.run.waiting'],
      flaw: 'is busy: answers its first event with 503, twice',
      busyFor: 2,
    },
    {
      name: 'old-crm',
      eventTypes: ['agent.run.started', 'agent.run.completed'],
      flaw: 'has a bug: answers agent.run.completed with 500',
      failsOn: 'agent.run.completed',
    },
  ]
  for (const options of cast) {
    const receiver = await openDemoReceiver(options)
    const { id, secret } = await server.api.post<EndpointView & { secret: string }>('/v1/endpoints', {
      url: `${receiver.url}/hooks`,
      description: DESCRIPTION + options.name,
      event_types: options.eventTypes,
      retry_schedule: DEMO_SCHEDULE_MS,
    })
    receiver.trust(secret)
    receivers.set(id, receiver)
  }
}

/** Receivers of an earlier demonstration in the same data folder are gone. */
async function removeEarlierEndpoints(api: Stage['server']['api']): Promise<void> {
  const { data } = await api.get<Page<EndpointView>>('/v1/endpoints?limit=200')
  for (const { id, description } of data) {
    if (description.startsWith(DESCRIPTION)) await api.delete(`/v1/endpoints/${id}`)
  }
}

async function publishRun(stage: Stage): Promise<string> {
  const { screen, server, signal, watch } = stage
  const runbell = new Runbell({ url: server.runbell.url, key: server.apiKey, defaultAgent: REFUND_AGENT, strict: true })
  const { runId, facts } = refundRun(Date.now())
  const startedAt = performance.now()
  const time = () => secondsText(performance.now() - startedAt).padStart(6)
  server.onAttempt((line) => {
    printAttempt(stage, line, time())
    watch.add(line)
  })
  let deliveries = 0
  for (const { type, input } of facts) {
    const accepted = await runbell.emit(type, input, { signal })
    if (accepted === null) throw new CliError(`the demonstration could not publish ${type}: see the lines above`)
    deliveries += accepted.deliveries
    screen.line(row(screen, time(), 'published', type, `no. ${accepted.sequence}, ${countText(accepted.deliveries)}`))
  }
  await watch.until('every delivery to end', (lines) => lines.filter(isLast).length === deliveries)
  return runId
}

/** The inbox gets everything, so its lines would bury the others. */
function printAttempt(
  { screen, server, receivers, replayed, countdown }: Stage,
  line: AttemptLine,
  time: string,
): void {
  const receiver = receivers.get(line.endpointId)
  if (receiver === undefined) return
  const told = receiver.told(line.deliveryId, line.number)
  const most = replayed.has(line.deliveryId) ? null : DEMO_SCHEDULE_MS.length + 1
  const text = attemptText(screen, { line, most, told })
  const next = verdictText(screen, line, server.runbell.clock.now())
  const counted = line.retryAt !== null && screen.live
  screen.line(row(screen, time, receiver.name, line.eventType, next === null || counted ? text : `${text}  ${next}`))
  if (line.retryAt === null) countdown.done(line.deliveryId)
  else countdown.wait(line.deliveryId, `${receiver.name}, ${line.eventType}`, line.retryAt)
}

function countText(deliveries: number): string {
  return deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`
}
