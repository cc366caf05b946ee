import type {
  Accepted,
  AttemptView,
  DeliveryView,
  EndpointView,
  EventView,
  Page,
  SecretView,
} from '@runbell/sdk/contract'
import { expect } from 'vitest'
import { OWN_TYPES } from './own-types.ts'
import { ADMIN_KEY } from './server-process.ts'
import { until } from './until.ts'

/** Where a server answers. */
export interface Served {
  readonly url: string
}

/** An answer of any status. */
export interface Answer<Body> {
  status: number
  headers: Headers
  bytes: Buffer
  /** The body as JSON; `undefined` where it is none. */
  json: Body
}

export interface RequestOptions {
  /** Text and bytes go out as they are, anything else as JSON. */
  body?: unknown
  /** `null` sends no key. @default the live admin key */
  key?: string | null
  headers?: Record<string, string>
}

export type CreatedEndpoint = EndpointView & { secret?: string; public_key?: string }
export type CreatedSecret = SecretView & { secret?: string; public_key?: string }
export type DetailedDelivery = DeliveryView & { schedule: { retry_schedule: number[]; max_attempts: number } }

/** Calls the API; whatever the status, the answer is a value. */
export async function request<Body>(
  server: Served,
  method: string,
  path: string,
  { body, key = ADMIN_KEY, headers = {} }: RequestOptions = {},
): Promise<Answer<Body>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? (body as BodyInit) : JSON.stringify(body) }),
    redirect: 'manual',
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && bytes.length > 0
  const json = (isJson ? JSON.parse(bytes.toString()) : undefined) as Body
  return { status: response.status, headers: response.headers, bytes, json }
}

/** @throws Error with what the server said where the status is another */
async function expectStatus<Body>(status: number, what: string, answer: Answer<Body>): Promise<Body> {
  if (answer.status !== status)
    throw new Error(`${what}: ${answer.status} instead of ${status}, ${answer.bytes.toString()}`)
  return answer.json
}

/** By test file: a worker runs several. */
const used = new Map<string, number>()

/** A registered type of event nobody else in the same test file uses; its data may be anything. */
export function newType(): string {
  const file = expect.getState().testPath ?? ''
  const count = used.get(file) ?? 0
  used.set(file, count + 1)
  const type = OWN_TYPES[count]
  if (type === undefined) throw new Error(`a test file has ${OWN_TYPES.length} types of its own: register more`)
  return type
}

/** An id a producer might choose. */
export function newEventId(word = 'guarantee'): string {
  return `evt_${word}_${crypto.randomUUID()}`
}

/** An event as it is published. */
export interface NewEvent {
  type: string
  event_id?: string
  [field: string]: unknown
}

/** The least a published event holds, of a producer's own type. */
export function anEvent(type: string, more: Record<string, unknown> = {}): NewEvent {
  return { type, agent: { id: 'guarantees' }, data: { n: 1 }, ...more }
}

export async function publish(server: Served, event: unknown, options: RequestOptions = {}): Promise<Accepted> {
  const answer = await request<Accepted>(server, 'POST', '/v1/events', { ...options, body: event })
  return await expectStatus(202, 'publishing', answer)
}

export async function createEndpoint(
  server: Served,
  url: string,
  type: string,
  more: Record<string, unknown> = {},
  options: RequestOptions = {},
): Promise<CreatedEndpoint> {
  const body = { url, event_types: [type], ...more }
  const answer = await request<CreatedEndpoint>(server, 'POST', '/v1/endpoints', { ...options, body })
  return await expectStatus(201, 'creating an endpoint', answer)
}

/** @throws Error where the answer is not 200 */
export async function get<Body>(server: Served, path: string, options: RequestOptions = {}): Promise<Body> {
  return await expectStatus(200, `GET ${path}`, await request<Body>(server, 'GET', path, options))
}

/** @throws Error where the answer is not 2xx */
export async function post<Body>(server: Served, path: string, body?: unknown, key?: string): Promise<Body> {
  const answer = await request<Body>(server, 'POST', path, { body, ...(key === undefined ? {} : { key }) })
  return await expectStatus(answer.status < 300 ? answer.status : 200, `POST ${path}`, answer)
}

export function eventOf(server: Served, eventId: string, options: RequestOptions = {}): Promise<EventView> {
  return get<EventView>(server, `/v1/events/${eventId}`, options)
}

export async function deliveriesOf(
  server: Served,
  eventId: string,
  options: RequestOptions = {},
): Promise<DeliveryView[]> {
  return (await get<Page<DeliveryView>>(server, `/v1/events/${eventId}/deliveries`, options)).data
}

/** The delivery of an event that has one. */
export async function deliveryOf(server: Served, eventId: string): Promise<DeliveryView> {
  const deliveries = await deliveriesOf(server, eventId)
  const [delivery] = deliveries
  if (delivery === undefined || deliveries.length > 1) throw new Error(`${eventId} has ${deliveries.length} deliveries`)
  return delivery
}

export async function attemptsOf(server: Served, deliveryId: string): Promise<AttemptView[]> {
  return (await get<Page<AttemptView>>(server, `/v1/deliveries/${deliveryId}/attempts`)).data
}

/** Waits until the one delivery of an event has ended, or looks as `holds` says. */
export function untilDelivery(
  server: Served,
  eventId: string,
  holds: (delivery: DeliveryView) => boolean = ({ status }) => status !== 'pending',
): Promise<DeliveryView> {
  return until(`the delivery of ${eventId} is as expected`, () => deliveryOf(server, eventId), holds)
}

/** Sends an event again; the answer names the deliveries. */
export function replay(
  server: Served,
  eventId: string,
  endpointId?: string,
): Promise<{ deliveries: { id: string }[] }> {
  return post(server, `/v1/events/${eventId}/replay`, endpointId === undefined ? {} : { endpoint_id: endpointId })
}
