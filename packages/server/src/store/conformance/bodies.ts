import { describe, expect, it } from 'vitest'
import type { AcceptItem } from '../accept.ts'
import type { EndpointRow } from '../rows.ts'
import {
  acceptItem,
  attemptRecord,
  expectedBody,
  expectedPrepared,
  failedRecord,
  hex,
  LIVE,
  MINUTE,
  newId,
  preparedBody,
  sha256Hex,
  T0,
  target,
} from './builders.ts'
import { FIRST_NODE, type StoreSuite } from './suite.ts'

export function bodyTests(suite: StoreSuite): void {
  distinct(suite)
  batches(suite)
  repeated(suite)
}

/** Not text at all: whoever decodes a body on its way changes it. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index)
const PERSONAL = 8
const PROMPT = 16

/** An item with two bodies of its own, and targets for these bodies. */
function withBodies(targets: AcceptItem['targets'], input: Parameters<typeof acceptItem>[0] = {}): AcceptItem {
  const item = acceptItem({ classes: PERSONAL | PROMPT, ...input, targets })
  return {
    ...item,
    bodies: [preparedBody(item, '{"n": 1.0, "z":-0}}', PROMPT), preparedBody(item, EVERY_BYTE.slice(), 0)],
  }
}

/** What the store has to hand out as body `index`. */
function bodyHex(item: AcceptItem, index: number, at: number, sequence: number | null): string {
  const body = item.bodies[index]
  return hex(body === undefined ? expectedBody(item, at, sequence) : expectedPrepared(body, at, sequence))
}

async function readHex(suite: StoreSuite, eventPosition: number, endpointId: string | null): Promise<string | null> {
  const body = await suite.store.readBody({ eventPosition, endpointId })
  return body === null ? null : hex(body)
}

function distinct(suite: StoreSuite): void {
  describe('bodies: each target its own', () => {
    it('byte for byte, in claims and to readers, with its own SHA-256 and classes', async () => {
      const wanted = [1, -1, 0, 1]
      const targets = []
      for (const body of wanted) targets.push(target((await suite.endpoint(ALL_GRANTED)).id, false, body))
      await suite.acceptOne(acceptItem())
      const item = withBodies(targets)
      const event = await suite.acceptOne(item, { at: T0 + 7 })
      for (const [index, { endpointId, deliveryId }] of targets.entries()) {
        const body = wanted[index] as number
        const expected = bodyHex(item, body, T0 + 7, 2)
        const row = await suite.row(deliveryId)
        expect(hex(row.bodySha256)).toBe(sha256Hex(Buffer.from(expected, 'hex')))
        expect(row.classes).toBe([PERSONAL | PROMPT, PROMPT, 0][body + 1])
        expect(await readHex(suite, event.position, endpointId)).toBe(expected)
        const claim = await suite.claimOne(FIRST_NODE, endpointId, T0 + 7)
        expect(hex(claim.body)).toBe(expected)
        expect(claim.classes).toBe(row.classes)
      }
      const uncut = bodyHex(item, -1, T0 + 7, 2)
      expect(await readHex(suite, event.position, null)).toBe(uncut)
      const [row] = await suite.store.findEvents({ scope: LIVE, eventId: item.eventId })
      expect(hex(row?.body as Uint8Array)).toBe(uncut)
      expect(row?.classes).toBe(PERSONAL | PROMPT)
      expect(hex(event.bodySha256)).toBe(sha256Hex(Buffer.from(uncut, 'hex')))
    })

    it('without a sequence where there is no run, and with nothing after the envelope', async () => {
      const { id: endpointId } = await suite.endpoint()
      const item = acceptItem({ runId: null, targets: [target(endpointId, false, 0)] })
      const thin = {
        envelope: { ...item.envelope, tail: ',"resource":"https://runbell.test"}' },
        rest: new Uint8Array(),
      }
      const { position } = await suite.acceptOne({ ...item, bodies: [{ ...thin, classes: 0 }] })
      const expected = hex(expectedPrepared({ ...thin, classes: 0 }, T0, null))
      expect(await readHex(suite, position, endpointId)).toBe(expected)
      expect(hex((await suite.claimOne(FIRST_NODE, endpointId)).body)).toBe(expected)
    })

    it('stay the same in retries, after a crash, and in replays (G9)', async () => {
      const { id: endpointId } = await suite.endpoint(ALL_GRANTED)
      const item = withBodies([target(endpointId, true, 1)])
      const event = await suite.acceptOne(item)
      const expected = bodyHex(item, 1, T0, 1)
      await suite.crashAll('node-b')
      await suite.rescueAll('node-b', { now: T0 })
      const suspect = await suite.claimSuspect('node-b', T0)
      expect(hex(suspect?.body as Uint8Array)).toBe(expected)
      await suite.record('node-b', failedRecord(suspect as NonNullable<typeof suspect>, T0 + 10))
      const retry = await suite.claimOne('node-b', endpointId, T0 + 10)
      expect(hex(retry.body)).toBe(expected)
      await suite.record('node-b', attemptRecord(retry))
      const replay = {
        eventPosition: event.position,
        target: { kind: 'all' },
        newDeliveryId: newId('delivery'),
      } as const
      await suite.store.replayDeliveries({ ...replay, now: T0 + MINUTE })
      expect(hex((await suite.claimOne('node-b', endpointId, T0 + MINUTE)).body)).toBe(expected)
    })

    it('cannot be mistaken for the uncut one: a target of a body that is not there is a failure', async () => {
      const { id: endpointId } = await suite.endpoint()
      await expect(suite.accept([withBodies([target(endpointId, false, 2)])])).rejects.toThrow(/body 2 of 2/)
      expect(await suite.claim(FIRST_NODE, endpointId)).toEqual([])
    })
  })
}

const ALL_GRANTED: Partial<EndpointRow> = { dataClasses: ['public', 'summary', 'personal', 'prompt'] }

function batches(suite: StoreSuite): void {
  describe('bodies: of several events in one batch', () => {
    it('go each to the deliveries of its own event', async () => {
      const endpoints = [await suite.endpoint(ALL_GRANTED), await suite.endpoint(ALL_GRANTED)]
      const [one, other] = endpoints.map(({ id }) => id) as [string, string]
      const items = [
        withBodies([target(one, false, 0), target(other, false, 1)], { data: '{"a":1}' }),
        acceptItem({ targets: [target(one), target(other)], data: '{"b":"ö"}' }),
        withBodies([target(one, false, 1), target(other, false, -1)], { data: '{"c":3}' }),
      ]
      const results = await suite.accept(items)
      for (const [index, item] of items.entries()) {
        const result = results[index]
        if (result?.kind !== 'accepted') throw new Error('not accepted')
        for (const { endpointId, body } of item.targets) {
          expect(await readHex(suite, result.position, endpointId)).toBe(bodyHex(item, body, T0, index + 1))
        }
      }
    })

    it('go to the right event also where one between them is left out', async () => {
      const { id: endpointId } = await suite.endpoint(ALL_GRANTED)
      const known = withBodies([target(endpointId, false, 0)])
      await suite.acceptOne(known)
      const fresh = withBodies([target(endpointId, false, 1)], { data: '{"fresh":true}' })
      const again = { ...known, targets: [target(endpointId, false, 1)] }
      const [duplicate, accepted] = await suite.accept([again, fresh])
      expect(duplicate).toMatchObject({ kind: 'duplicate', deliveries: 1 })
      if (accepted?.kind !== 'accepted') throw new Error('not accepted')
      expect(await readHex(suite, accepted.position, endpointId)).toBe(bodyHex(fresh, 1, T0, 2))
    })
  })
}

function repeated(suite: StoreSuite): void {
  describe('bodies: the same event again', () => {
    it('leaves those of the first time as they are, whatever would be sent now (G5)', async () => {
      const { id: endpointId } = await suite.endpoint(ALL_GRANTED)
      const first = withBodies([target(endpointId, false, 0)])
      const { position } = await suite.acceptOne(first)
      const wider = { ...first, bodies: [preparedBody(first, '{"all":1}}', PROMPT)], targets: [target(endpointId)] }
      expect(await suite.accept([wider], { at: T0 + 9 })).toMatchObject([{ kind: 'duplicate', recordedAt: T0 }])
      expect(await readHex(suite, position, endpointId)).toBe(bodyHex(first, 0, T0, 1))
      expect(await suite.claim(FIRST_NODE, endpointId)).toHaveLength(1)
    })

    it('are kept from whoever changes the bytes after handing them over', async () => {
      const { id: endpointId } = await suite.endpoint(ALL_GRANTED)
      const item = withBodies([target(endpointId, false, 0)], { configVersion: await suite.configVersion() })
      const expected = bodyHex(item, 0, T0, 1)
      const batch = { nodeId: FIRST_NODE, recordedAt: T0, runEventBudget: 1000, items: [item] }
      const call = suite.store.acceptEvents(batch)
      for (const { rest } of item.bodies) rest.set(new Uint8Array(rest.length))
      await call
      const claim = await suite.claimOne(FIRST_NODE, endpointId)
      expect(hex(claim.body)).toBe(expected)
    })
  })
}
