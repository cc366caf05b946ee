import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acceptItem, endpointRow, T0, target } from '../conformance/builders.ts'
import { openSqliteStore } from './sqlite-store.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runbell-erasure-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The files of the database that have these bytes in them. */
async function filesWith(canary: string): Promise<string[]> {
  const files = await readdir(folder)
  const contents = await Promise.all(files.map((name) => readFile(join(folder, name))))
  return files.filter((_, index) => contents[index]?.includes(canary))
}

test('what was erased is in no file of the database, however large it was, while the server runs on', async () => {
  const store = await openSqliteStore({ path: join(folder, 'runbell.db') })
  await store.joinNode({ nodeId: 'a', leaseMs: 1000 })
  const endpoint = endpointRow()
  const { configVersion } = (await store.createEndpoint({ endpoint, maxPerTenant: 9 })) ?? { configVersion: 0 }
  const positions: number[] = []
  // Small ones that share pages with others, which move when pages are split, and some that fill pages of their own.
  const sizes = Array.from({ length: 150 }, (_, n) => (n % 50 === 49 ? 200_000 : 10 + n * 20))
  for (const size of sizes) {
    for (const word of ['CANARY-', 'others-']) {
      const item = acceptItem({
        ...{ configVersion, data: `{"note":"${word.repeat(size / 7 + 1)}"}`, targets: [target(endpoint.id)] },
      })
      const [result] = await store.acceptEvents({ nodeId: 'a', recordedAt: T0, runEventBudget: 1000, items: [item] })
      if (result?.kind !== 'accepted') throw new Error(`not accepted: ${result?.kind}`)
      if (word === 'CANARY-') positions.push(result.position)
    }
  }
  expect(await filesWith('CANARY-')).not.toEqual([])
  for (const eventPosition of positions) expect(await store.eraseEvent({ eventPosition, now: T0 })).not.toBeNull()
  // The next commit at the latest finds no reader in its way.
  await store.heartbeat({ nodeId: 'a', leaseMs: 1000, highWater: T0 })
  expect(await filesWith('CANARY-')).toEqual([])
  expect(await filesWith('others-')).toEqual(['runbell.db'])
  await store.close()
})
