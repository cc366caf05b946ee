import { BUILT_IN_TYPES, SERVICE_TYPES, type EventOf, type KnownEventType } from '../catalog/index.ts'
import type { Envelope } from '../contract/index.ts'
import { signedHeaders } from '../signing/index.ts'

/** For tests only: everybody knows it. */
export const TEST_SECRET = 'whsec_cnVuYmVsbC10ZXN0aW5nLXNlY3JldC0wMDAx'

export interface FixtureOptions {
  /** @default TEST_SECRET */
  secret?: string
  /** When it is sent, in milliseconds since 1970. @default Date.now() */
  now?: number
  /** @default 1 */
  attempt?: number
}

/** A request as Runbell sends it. */
export interface SignedFixture<Event extends Envelope = Envelope> {
  event: Event
  headers: Record<string, string>
  /** The exact bytes, as text. */
  body: string
}

/**
 * The sample of a type in test mode, signed.
 * @param changes replace what the sample has, `data` included
 * @throws TypeError for a type that the catalog does not have
 */
export async function signedFixture<Type extends KnownEventType>(
  type: Type,
  changes: Partial<EventOf<Type>> = {},
  options: FixtureOptions = {},
): Promise<SignedFixture<EventOf<Type>>> {
  const known = BUILT_IN_TYPES.get(type) ?? SERVICE_TYPES.get(type)
  if (known === undefined) throw new TypeError(`the catalog has no type ${type}`)
  const event = { ...known.samples.test, ...changes } as EventOf<Type>
  return signEvent(event, options)
}

/** Any event, signed as Runbell signs. */
export async function signEvent<Event extends Envelope>(
  event: Event,
  { secret = TEST_SECRET, now = Date.now(), attempt = 1 }: FixtureOptions = {},
): Promise<SignedFixture<Event>> {
  const body = JSON.stringify(event)
  const timestamp = Math.floor(now / 1000)
  const signed = await signedHeaders({ id: event.event_id, timestamp, body, secrets: [secret] })
  const headers = { ...signed, 'content-type': 'application/json', 'runbell-attempt': String(attempt) }
  return { event, headers, body }
}
