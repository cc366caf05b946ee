import { describe, expect, it } from 'vitest'
import type { SecretRow } from '../rows.ts'
import { LIVE, MINUTE, secretRow, T0 } from './builders.ts'
import type { StoreSuite } from './suite.ts'

export function secretTests(suite: StoreSuite): void {
  const add = async (endpointId: string, secret: SecretRow, { now = T0, retireAt = T0 + MINUTE, max = 5 } = {}) => {
    const change = { kind: 'add_secret', secret, retireAt, max } as const
    const answer = await suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now })
    return answer?.endpoint.secrets ?? null
  }
  const remove = async (endpointId: string, secretId: string, now = T0) => {
    const change = { kind: 'remove_secret', secretId } as const
    const answer = await suite.store.changeEndpoint({ scope: LIVE, endpointId, change, now })
    return answer?.endpoint.secrets.map(({ id }) => id) ?? null
  }
  adding(suite, add)
  capping(suite, add)
  removing(suite, add, remove)
}

type Add = (
  endpointId: string,
  secret: SecretRow,
  options?: { now?: number; retireAt?: number; max?: number },
) => Promise<SecretRow[] | null>
type Remove = (endpointId: string, secretId: string, now?: number) => Promise<string[] | null>

function adding(suite: StoreSuite, add: Add): void {
  describe('secrets: adding', () => {
    it('puts the new one first and retires the others of its kind', async () => {
      const [old, other] = [secretRow(), secretRow({ kind: 'ed25519' })]
      const { id } = await suite.endpoint({ secrets: [old, other] })
      const fresh = secretRow({ createdAt: T0 + 1 })
      const expected = [fresh, { ...old, expiresAt: T0 + MINUTE }, other]
      expect(await add(id, fresh)).toEqual(expected)
      const { endpoints } = await suite.store.loadEndpoints({ endpointIds: [id] })
      expect(endpoints[0]?.secrets).toEqual(expected)
    })

    it('never lets a retiring one live longer than was said before', async () => {
      const [soon, never] = [secretRow({ expiresAt: T0 + 10 }), secretRow()]
      const { id } = await suite.endpoint({ secrets: [never, soon] })
      const secrets = await add(id, secretRow(), { retireAt: T0 + 99 })
      expect(secrets?.map(({ expiresAt }) => expiresAt)).toEqual([null, T0 + 99, T0 + 10])
    })

    it('adds a secret once when the call is repeated', async () => {
      const { id } = await suite.endpoint()
      const fresh = secretRow()
      const first = await add(id, fresh)
      expect(await add(id, fresh, { retireAt: T0 + 1 })).toEqual(first)
    })

    it('leaves no old one able to sign when the overlap is nothing', async () => {
      const { id } = await suite.endpoint()
      const fresh = secretRow()
      const secrets = await add(id, fresh, { now: T0, retireAt: T0 })
      const active = secrets?.filter(({ expiresAt }) => expiresAt === null || expiresAt > T0)
      expect(active?.map((secret) => secret.id)).toEqual([fresh.id])
    })
  })
}

function capping(suite: StoreSuite, add: Add): void {
  describe('secrets: the most that stay active', () => {
    it('drops the oldest, never the second oldest', async () => {
      const made = Array.from({ length: 7 }, (_, index) => secretRow({ createdAt: T0 + index }))
      const ids = made.map((secret) => secret.id)
      const { id } = await suite.endpoint({ secrets: made.slice(0, 1) })
      for (const secret of made.slice(1, 5)) await add(id, secret)
      const sixth = await add(id, made[5] as SecretRow)
      expect(sixth?.map((secret) => secret.id)).toEqual(ids.slice(1, 6).toReversed())
      const seventh = await add(id, made[6] as SecretRow)
      expect(seventh?.map((secret) => secret.id)).toEqual(ids.slice(2, 7).toReversed())
    })

    it('keeps the order of adding when all are made in the same millisecond', async () => {
      const made = Array.from({ length: 4 }, () => secretRow())
      const { id } = await suite.endpoint({ secrets: made.slice(0, 1) })
      for (const secret of made.slice(1, 3)) await add(id, secret, { max: 3 })
      const secrets = await add(id, made[3] as SecretRow, { max: 3 })
      expect(secrets?.map((secret) => secret.id)).toEqual(
        made
          .slice(1)
          .map((secret) => secret.id)
          .toReversed(),
      )
    })

    it('does not count those that have expired', async () => {
      const expired = secretRow({ expiresAt: T0 + 10 })
      const active = secretRow()
      const { id } = await suite.endpoint({ secrets: [active, expired] })
      const fresh = secretRow()
      const secrets = await add(id, fresh, { now: T0 + 11, max: 2 })
      const signing = secrets?.filter(({ expiresAt }) => expiresAt === null || expiresAt > T0 + 11)
      expect(signing?.map((secret) => secret.id)).toEqual([fresh.id, active.id])
    })

    it('counts each kind by itself, so that no kind is left without any', async () => {
      const other = secretRow({ kind: 'ed25519' })
      const { id } = await suite.endpoint({ secrets: [secretRow(), other] })
      for (let count = 0; count < 3; count++) await add(id, secretRow(), { max: 2 })
      const secrets = await add(id, secretRow(), { max: 2 })
      expect(secrets?.filter(({ kind }) => kind === 'hmac')).toHaveLength(2)
      expect(secrets?.filter(({ kind }) => kind === 'ed25519')).toEqual([other])
    })
  })
}

function removing(suite: StoreSuite, add: Add, remove: Remove): void {
  describe('secrets: removing', () => {
    it('removes one of several, and no more than that', async () => {
      const [first, second] = [secretRow(), secretRow()]
      const { id } = await suite.endpoint({ secrets: [first] })
      await add(id, second)
      expect(await remove(id, first.id)).toEqual([second.id])
      expect(await remove(id, first.id)).toBeNull()
    })

    it('never removes the last that can sign', async () => {
      const only = secretRow()
      const { id } = await suite.endpoint({ secrets: [only, secretRow({ kind: 'ed25519' })] })
      expect(await remove(id, only.id)).toBeNull()
      const expired = secretRow({ expiresAt: T0 + 10 })
      const mixed = await suite.endpoint({ secrets: [secretRow(), expired] })
      expect(await remove(mixed.id, mixed.secrets[0]?.id as string, T0 + 11)).toBeNull()
      expect(await remove(mixed.id, expired.id, T0 + 11)).toHaveLength(1)
    })

    it('removes only what the endpoint has', async () => {
      const [one, two] = [await suite.endpoint({ secrets: [secretRow(), secretRow()] }), await suite.endpoint()]
      expect(await remove(one.id, two.secrets[0]?.id as string)).toBeNull()
      expect(await remove(one.id, 'sec_nobody')).toBeNull()
    })
  })
}
