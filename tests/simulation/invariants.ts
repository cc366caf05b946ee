import { createHash } from 'node:crypto'
import type { StoreSnapshot } from '../../packages/server/src/store/memory/memory-store.ts'
import { RETRY_SCHEDULE, type Endpoints } from './endpoints.ts'
import type { Network } from './network.ts'
import type { ObservedStore } from './observed-store.ts'
import type { Acknowledgement } from './publishers.ts'

export interface Evidence {
  store: ObservedStore
  network: Network
  endpoints: Endpoints
  acknowledgements: Acknowledgement[]
  /** What was found wrong while it ran. */
  violations: string[]
  /** Whether this node gave cause for its attempts to be `unknown`. */
  mayBeUnknown(nodeId: string): boolean
}

type Check = (evidence: Evidence, snapshot: StoreSnapshot) => string[]
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest()
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const keyOf = (event: { tenantId: string; eventId: string }) => `${event.tenantId}/${event.eventId}`

const g1: Check = ({ store, acknowledgements }, { events, deliveries }) => {
  const stored = new Set(events.map(keyOf))
  const present = new Set(deliveries.map(({ id }) => id))
  const lost = acknowledgements
    .filter(({ answer }) => answer.kind !== 'conflict')
    .filter((acknowledged) => !stored.has(keyOf(acknowledged)))
    .map(({ eventId }) => `G1: ${eventId} was acknowledged and is not stored`)
  const dropped = store.acceptances
    .flatMap(({ deliveryIds }) => deliveryIds)
    .filter((id) => !present.has(id))
    .map((id) => `G1: delivery ${id} was committed and is gone`)
  return [...lost, ...dropped]
}

const g3: Check = ({ store, acknowledgements }, { events }) => {
  const found: string[] = []
  const committed = new Map(store.acceptances.map((acceptance) => [keyOf(acceptance), acceptance]))
  if (committed.size !== store.acceptances.length || events.length !== committed.size) {
    found.push('G3: one id was committed twice')
  }
  for (const { eventId, tenantId, fingerprint, answer } of acknowledgements) {
    const winner = committed.get(keyOf({ tenantId, eventId }))
    const sameBytes = winner !== undefined && same(winner.fingerprint, fingerprint)
    if (sameBytes && answer.kind === 'conflict') found.push(`G3: ${eventId} met itself and was refused`)
    if (!sameBytes && answer.kind !== 'conflict') found.push(`G3: ${eventId} was acknowledged for other bytes`)
  }
  const firsts = acknowledgements.filter(({ answer }) => answer.kind === 'accepted').map(keyOf)
  if (new Set(firsts).size !== firsts.length) found.push('G3: one id was accepted twice')
  return found
}

const g5: Check = ({ store }) =>
  store.acceptances
    .filter(({ matched, expected }) => matched.join() !== expected.join())
    .map(({ eventId, matched, expected }) => `G5: ${eventId} went to ${matched.join()} instead of ${expected.join()}`)

const sequences: Check = (_evidence, { events }) => {
  const last = new Map<string, number>()
  return events.flatMap(({ tenantId, runId, sequence }) => {
    if (runId === null) return []
    const key = `${tenantId}/${runId}`
    const expected = (last.get(key) ?? 0) + 1
    last.set(key, expected)
    return sequence === expected ? [] : [`G10: sequence ${sequence} in ${key} where ${expected} was due`]
  })
}

/** Faults have ended, and there was time enough for everything to end. */
const g6: Check = (_evidence, { deliveries }) =>
  deliveries.flatMap(({ id, status, reason }) => {
    if (status === 'pending') return [`G6: ${id} never ended`]
    return status === 'delivered' || reason !== null ? [] : [`G6: ${id} ended ${status} without a reason`]
  })

const g7: Check = ({ mayBeUnknown }, { attempts }) =>
  attempts
    .filter(({ outcome, nodeId }) => outcome === 'unknown' && !mayBeUnknown(nodeId))
    .map(({ deliveryId, number }) => `G7: attempt ${number} of ${deliveryId} was taken from a node that lives`)

const g8: Check = ({ network }, { deliveries, attempts, endpoints }) => {
  const caps = new Map(endpoints.map(({ id, retrySchedule }) => [id, retrySchedule.length + 1]))
  const found: string[] = []
  const seen = new Set<string>()
  for (const { deliveryId, number } of network.sent) {
    if (seen.has(`${deliveryId}/${number}`)) found.push(`G8: attempt ${number} of ${deliveryId} was sent twice`)
    seen.add(`${deliveryId}/${number}`)
  }
  for (const { id, endpointId } of deliveries) {
    const cap = caps.get(endpointId) as number
    const own = attempts.filter(({ deliveryId }) => deliveryId === id)
    own.forEach(({ number }, index) => {
      if (number !== index + 1) found.push(`G8: the attempts of ${id} are not numbered without gaps`)
    })
    const beyond = own.slice(cap)
    // Only a delivery that may never have been sent at all goes beyond its cap (details 2).
    const allowed = beyond.every((_attempt, index) =>
      own.slice(0, cap + index).every(({ outcome }) => outcome === 'unknown'),
    )
    if (!allowed) found.push(`G8: ${id} had ${own.length} attempts, its cap is ${cap}`)
  }
  return found
}

const g9: Check = ({ network }, { events, deliveries }) => {
  const hashes = new Map(events.map((event) => [event.position, event.bodySha256]))
  const byDelivery = new Map(deliveries.map(({ id, eventPosition }) => [id, hashes.get(eventPosition)]))
  return network.sent
    .filter(({ deliveryId, body }) => !same(byDelivery.get(deliveryId) ?? new Uint8Array(), sha256(body)))
    .map(({ deliveryId, number }) => `G9: attempt ${number} of ${deliveryId} sent other bytes than are stored`)
}

const g11: Check = ({ network }, { deliveries, attempts }) => {
  const answered = new Map(network.sent.map((request) => [`${request.deliveryId}/${request.number}`, request]))
  const wrong = attempts.flatMap(({ deliveryId, number, outcome }) => {
    const status = answered.get(`${deliveryId}/${number}`)?.status ?? 0
    const success = status >= 200 && status <= 299
    if (outcome === 'delivered' && !success) return [`G11: attempt ${number} of ${deliveryId} counts as a success`]
    return []
  })
  const delivered = new Set(
    attempts.filter(({ outcome }) => outcome === 'delivered').map(({ deliveryId }) => deliveryId),
  )
  const unproven = deliveries.filter(({ id, status }) => status === 'delivered' && !delivered.has(id))
  return [...wrong, ...unproven.map(({ id }) => `G11: ${id} is delivered without a successful attempt`)]
}

const deadLetters: Check = (_evidence, { deliveries, attempts }) =>
  deliveries.flatMap(({ id, status, reason, crashesAlone }) => {
    if (status !== 'dead_lettered') return []
    const own = attempts.filter(({ deliveryId }) => deliveryId === id)
    if (reason === 'attempts_exhausted' && own.every(({ outcome }) => outcome === 'unknown')) {
      return [`G8: ${id} was dead-lettered though it may never have been sent`]
    }
    if (reason === 'quarantined' && crashesAlone < 3)
      return [`G19: ${id} was quarantined after ${crashesAlone} crashes`]
    return []
  })

const retries: Check = (_evidence, { attempts }) =>
  attempts.flatMap((attempt, index) => {
    const next = attempts[index + 1]
    const delay = RETRY_SCHEDULE[attempt.number - 1]
    if (next?.deliveryId !== attempt.deliveryId || attempt.durationMs === null || delay === undefined) return []
    const earliest = attempt.startedAt + Math.floor(delay * 0.8)
    return next.startedAt >= earliest ? [] : [`G13: attempt ${next.number} of ${next.deliveryId} came too early`]
  })

/** A node may work with an older configuration for this long after a change. */
const CONFIG_LAG_MS = 1500

const signatures: Check = ({ network, endpoints }) => {
  const byUrl = new Map([...endpoints.subscribers.values()].map((subscriber) => [subscriber.url, subscriber]))
  return network.sent.flatMap(({ at, url, signature, deliveryId }) => {
    const signed = new Set(signature.split(' '))
    const known = byUrl.get(url)?.secrets ?? []
    const active = known.filter(({ since, until }) => since + CONFIG_LAG_MS < at && until > at)
    const missing = active.filter(({ id }) => !signed.has(id))
    return missing.map(({ id }) => `signing: ${deliveryId} was not signed with the active secret ${id}`)
  })
}

/**
 * Of each run, what an ordered endpoint got first came in the order of `sequence` (details 17). What a node sent that had lost it
 * meanwhile proves nothing: its attempt is on record as `unknown`.
 */
const turns: Check = ({ network }, { events, deliveries, attempts, endpoints }) => {
  const ordered = new Set(endpoints.flatMap(({ id, ordering }) => (ordering === 'run' ? [id] : [])))
  const known = new Set(
    attempts.flatMap(({ deliveryId, number, outcome }) => (outcome === 'unknown' ? [] : [`${deliveryId}/${number}`])),
  )
  const eventOf = new Map(events.map((event) => [event.position, event]))
  const deliveryOf = new Map(deliveries.map((delivery) => [delivery.id, delivery]))
  const latest = new Map<string, number>()
  const seen = new Set<string>()
  return network.sent.flatMap(({ deliveryId, number }) => {
    const delivery = deliveryOf.get(deliveryId)
    const event = eventOf.get(delivery?.eventPosition ?? 0)
    if (delivery === undefined || event === undefined || event.runId === null || event.sequence === null) return []
    if (!ordered.has(delivery.endpointId) || seen.has(deliveryId) || !known.has(`${deliveryId}/${number}`)) return []
    seen.add(deliveryId)
    const lane = `${delivery.endpointId}/${event.tenantId}/${event.runId}`
    const before = latest.get(lane) ?? 0
    latest.set(lane, Math.max(before, event.sequence))
    return event.sequence > before ? [] : [`ordering: ${deliveryId} came after a later one of its run`]
  })
}

const CHECKS = [g1, g3, g5, sequences, g6, g7, g8, g9, g11, deadLetters, retries, signatures, turns]

/** All that does not hold, in words. */
export function findViolations(evidence: Evidence): string[] {
  const snapshot = evidence.store.snapshot()
  return [...evidence.violations, ...CHECKS.flatMap((check) => check(evidence, snapshot))]
}
