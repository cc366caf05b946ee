import type { AttemptView, DeliveryView, EndpointView, EventView, ReplayAccepted, RunView } from '@runbell/sdk/contract'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { queryOf, type FilterFlags } from '../replay/filter-flags.ts'
import { findServer, type ServerOptions } from '../server/find-server.ts'
import { targetUrl } from '../target-url.ts'
import { listRecords, printRecord, timeText, type ListOptions } from './list-records.ts'

export type RecordOptions = ServerOptions & ListOptions & FilterFlags

export async function listEvents(options: RecordOptions): Promise<number> {
  return await listRecords<EventView>(findServer(options).api, `/v1/events?${queryOf(options)}`, options, {
    kind: 'events',
    heading: ['RECORDED', 'ID', 'TYPE', 'RUN', 'DELIVERED', 'PENDING', 'DEAD'],
    cells: ({ recorded_at: at, event_id: id, type, run_id: run, deliveries }) => [
      ...[timeText(at ?? null), id, type, run ?? null],
      ...[`${deliveries.delivered}/${deliveries.total}`, deliveries.pending, deliveries.dead_lettered],
    ],
  })
}

export async function listDeliveries(options: RecordOptions & { status?: string }): Promise<number> {
  const status = options.status === undefined ? {} : { status: options.status }
  return await listRecords<DeliveryView>(
    findServer(options).api,
    `/v1/deliveries?${queryOf(options, status)}`,
    options,
    {
      kind: 'deliveries',
      heading: ['CREATED', 'ID', 'TYPE', 'ENDPOINT', 'STATUS', 'ATTEMPTS', 'NEXT ATTEMPT'],
      cells: (delivery) => [
        ...[timeText(delivery.created_at), delivery.id, delivery.event_type, delivery.endpoint_id],
        ...[delivery.reason === null ? delivery.status : `${delivery.status}: ${delivery.reason}`],
        ...[delivery.attempt_count, timeText(delivery.next_attempt_at)],
      ],
    },
  )
}

export async function listRuns(options: RecordOptions & { status?: string }): Promise<number> {
  const status = options.status === undefined ? {} : { status: options.status }
  return await listRecords<RunView>(findServer(options).api, `/v1/runs?${queryOf(options, status)}`, options, {
    kind: 'runs',
    heading: ['UPDATED', 'RUN', 'AGENT', 'STATUS', 'EVENTS', 'WARNINGS'],
    cells: (run) => [
      timeText(run.updated_at),
      run.run_id,
      run.agent_id,
      run.status,
      run.event_count,
      run.lifecycle_warnings,
    ],
  })
}

export async function listEndpoints(options: RecordOptions): Promise<number> {
  return await listRecords<EndpointView>(findServer(options).api, `/v1/endpoints?${queryOf(options)}`, options, {
    kind: 'endpoints',
    heading: ['ID', 'URL', 'STATUS', 'TENANT', 'EVENT TYPES', 'DESCRIPTION'],
    cells: (endpoint) => [
      ...[endpoint.id, endpoint.url ?? endpoint.kind],
      endpoint.disabled_reason === null ? endpoint.status : `${endpoint.status}: ${endpoint.disabled_reason}`,
      ...[endpoint.tenant_id, endpoint.event_types.join(',') || '*', endpoint.description],
    ],
  })
}

const PATHS = { event: '/v1/events', delivery: '/v1/deliveries', run: '/v1/runs', endpoint: '/v1/endpoints' } as const

/** One of them, whole; a delivery with its attempts. */
export async function showRecord(kind: keyof typeof PATHS, id: string, options: RecordOptions): Promise<number> {
  const { api } = findServer(options)
  const path = `${PATHS[kind]}/${encodeURIComponent(id)}`
  const query = tenantQuery(options)
  const record = await api.get<object>(path + query)
  if (kind !== 'delivery') printRecord(record, options)
  else {
    const { data: attempts } = await api.get<{ data: AttemptView[] }>(`${path}/attempts${query}`)
    printRecord({ ...record, attempts }, options)
  }
  return EXIT.ok
}

function tenantQuery({ tenant }: { tenant?: string }): string {
  return tenant === undefined ? '' : `?tenant_id=${encodeURIComponent(tenant)}`
}

export interface CreateOptions extends ServerOptions {
  type?: string[]
  dataClass?: string[]
  tenant?: string
  description?: string
  json?: boolean
}

/** For people the secret alone is on standard output. */
export async function createEndpoint(target: string, options: CreateOptions): Promise<number> {
  const { api } = findServer(options)
  const { type, dataClass, tenant, description } = options
  const made = await api.post<EndpointView & { secret?: string; public_key?: string }>('/v1/endpoints', {
    url: targetUrl(target),
    ...(type === undefined ? {} : { event_types: type }),
    ...(dataClass === undefined ? {} : { data_classes: dataClass }),
    ...(tenant === undefined ? {} : { tenant_id: tenant }),
    ...(description === undefined ? {} : { description }),
  })
  if (options.json === true) printLine(JSON.stringify(made))
  else {
    printLine(made.secret ?? made.public_key ?? made.id)
    process.stderr.write(`${made.id} gets events at ${made.url}. Keep its secret; it is not shown again.\n`)
  }
  return EXIT.ok
}

export type EndpointAction = 'pause' | 'resume' | 'enable' | 'disable' | 'delete' | 'test'

export async function changeEndpoint(action: EndpointAction, id: string, options: RecordOptions): Promise<number> {
  const { api } = findServer(options)
  const path = `/v1/endpoints/${encodeURIComponent(id)}`
  const query = tenantQuery(options)
  if (action === 'delete') {
    await api.delete(path + query)
    if (options.json === true) printLine(JSON.stringify({ id, deleted: true }))
    else printLine(`${id} is deleted; what was pending to it has ended as cancelled`)
    return EXIT.ok
  }
  if (action === 'test') return testEndpoint(await api.post<TestAnswer>(`${path}/test${query}`), options)
  const endpoint = await api.post<EndpointView>(`${path}/${action}${query}`)
  if (options.json === true) printLine(JSON.stringify(endpoint))
  else printLine(`${id} is ${endpoint.status}`)
  return EXIT.ok
}

interface TestAnswer {
  type: string
  attempt: AttemptView
}

function testEndpoint(answer: TestAnswer, { json }: RecordOptions): number {
  const { outcome, status_code: status, duration_ms: ms, diagnosis } = answer.attempt
  if (json === true) printLine(JSON.stringify(answer))
  else {
    printLine(`${answer.type}: ${outcome}${status === null ? '' : `, status ${status}`}, ${ms} ms`)
    if (diagnosis !== null) printLine(`  ${diagnosis.title}. ${diagnosis.fix}`)
  }
  return outcome === 'delivered' ? EXIT.ok : EXIT.notWell
}

/** Sends a delivery, or all deliveries of an event, again: the same bytes. */
export async function resend(id: string, options: RecordOptions): Promise<number> {
  const { api } = findServer(options)
  const isDelivery = id.startsWith('dlv_')
  if (!isDelivery && !id.startsWith('evt_')) {
    throw new CliError(`"${id.slice(0, 40)}" is the id of neither a delivery (dlv_…) nor an event (evt_…)`, EXIT.usage)
  }
  if (isDelivery && options.endpoint !== undefined) {
    throw new CliError('--endpoint goes with the id of an event: a delivery has its endpoint', EXIT.usage)
  }
  const path = `/v1/${isDelivery ? 'deliveries' : 'events'}/${encodeURIComponent(id)}/replay${tenantQuery(options)}`
  const body = isDelivery || options.endpoint === undefined ? undefined : { endpoint_id: options.endpoint }
  const { deliveries } = await api.post<ReplayAccepted>(path, body)
  for (const delivery of deliveries) {
    printLine(options.json === true ? JSON.stringify(delivery) : `${delivery.id}  ${delivery.status}`)
  }
  if (deliveries.length === 0 && options.json !== true) process.stderr.write('It has no deliveries.\n')
  return EXIT.ok
}
