import type { Claim, EndpointRow } from '../src/store/rows.ts'

/** An endpoint that is fit to send to. */
export function endpoint(input: Partial<EndpointRow> = {}): EndpointRow {
  return {
    position: 1,
    id: 'ep_1',
    tenantId: 'default',
    mode: 'live',
    kind: 'http',
    url: 'https://example.com/hook',
    description: '',
    eventTypes: [],
    filter: null,
    dataClasses: ['public', 'summary'],
    schemaVersions: {},
    format: 'runbell',
    headers: {},
    headerPrefix: null,
    timeoutMs: 15_000,
    maxInFlight: 10,
    rateLimit: null,
    ordering: 'none',
    orderingOnDeadLetter: 'skip',
    retrySchedule: [5000, 60_000],
    signing: 'hmac',
    status: 'enabled',
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    createdAt: 0,
    updatedAt: 0,
    secrets: [],
    ...input,
  }
}

/** A claim of the first attempt, on record and not yet started. */
export function claim(input: Partial<Claim> = {}): Claim {
  const position = input.position ?? 1
  return {
    position,
    number: 1,
    deliveryId: `dlv_${position}`,
    endpointId: 'ep_1',
    tenantId: 'default',
    mode: 'live',
    eventId: `evt_event000${position}`,
    eventType: 'agent.run.started',
    runId: 'run-1',
    trigger: 'scheduled',
    cycleStart: 1,
    deadline: null,
    body: new Uint8Array([0x7b, 0x7d]),
    classes: 0,
    suspect: false,
    crashesAlone: 0,
    ...input,
  }
}
