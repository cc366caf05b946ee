import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anEvent, get, newType, request } from '../support/client.ts'
import { startReceiver, type Receiver } from '../support/receiver.ts'
import { call, startServer, type ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const DISK_MIB = 24
const ENVIRONMENT = { RUNBELL_LIMIT_FREE_BYTES: String(2 * 1024 * 1024), RUNBELL_RETRY_SCHEDULE: '100ms,200ms,1s,1s' }
const ROUNDS = 5
const PUBLISHERS = 4

const cannot = process.getuid?.() === 0 ? null : 'mounting a small disk needs root'
if (cannot !== null) console.log(`skipped: disk full, because ${cannot}`)

let disk: string
let receiver: Receiver

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'runbell-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', disk])
  receiver = await startReceiver((index) => (index % 5 === 2 ? 503 : 204))
})

afterEach(async () => {
  await receiver.close()
  execFileSync('umount', ['-l', disk])
  await rm(disk, { recursive: true })
})

/** Fills the disk to the last byte, whatever else is writing. */
async function fill(): Promise<() => Promise<void>> {
  const path = join(disk, 'somebody-else')
  for (let bytes = 0; ;) {
    const { bavail, bsize } = await statfs(disk)
    if (bavail === 0) return () => truncate(path, 0)
    await writeFile(path, Buffer.alloc(bavail * bsize, 1), { flag: 'a' }).catch(() => {})
    bytes += bavail * bsize
    if (bytes > 10 * DISK_MIB * 1024 * 1024) throw new Error('the disk does not get full')
  }
}

interface Seen {
  acknowledged: Set<string>
  refused: number
  /** Neither 202 nor 507, with what was said. */
  odd: string[]
}

function publishWhile(server: ServerProcess, type: string, going: () => boolean): Promise<Seen> {
  const seen: Seen = { acknowledged: new Set(), refused: 0, odd: [] }
  const one = async () => {
    while (going()) {
      const body = anEvent(type, { data: { n: 1, text: 'x'.repeat(2000) } })
      const answer = await request<{ event_id: string; code: string }>(server, 'POST', '/v1/events', { body })
      if (answer.status === 202) seen.acknowledged.add(answer.json.event_id)
      else if (answer.status === 507) seen.refused++
      else seen.odd.push(`${answer.status} ${answer.bytes.toString()}`)
    }
  }
  return Promise.all(Array.from({ length: PUBLISHERS }, one)).then(() => seen)
}

describe('G15: on a disk that somebody else fills to the last byte', () => {
  test.skipIf(cannot !== null)(
    `${ROUNDS} times: publishes get 507, reads work, nothing acknowledged is lost, and it recovers by itself`,
    async () => {
      const server = await startServer(disk, ENVIRONMENT)
      const type = newType()
      await call(server, 'POST', '/v1/endpoints', { url: receiver.url, event_types: [type] })
      const acknowledged = new Set<string>()
      for (let round = 0; round < ROUNDS; round++) {
        let going = true
        const publishing = publishWhile(server, type, () => going)
        const before = receiver.received.length
        await receiver.until((received) => received.length >= before + 20 + round)
        const empty = await fill()
        await until(
          'publishing is refused',
          () => request(server, 'POST', '/v1/events', { body: anEvent(type) }),
          ({ status }) => status === 507,
        )
        expect((await request(server, 'GET', '/v1/events?limit=1')).status).toBe(200)
        await until(
          'it is full',
          () => get<{ storage: string }>(server, '/readyz'),
          ({ storage }) => storage === 'full',
        )
        going = false
        const seen = await publishing
        expect(seen.odd).toEqual([])
        expect(seen.refused).toBeGreaterThan(0)
        for (const id of seen.acknowledged) acknowledged.add(id)
        await empty()
        await until(
          'it has recovered',
          () => get<{ storage: string }>(server, '/readyz'),
          ({ storage }) => storage === 'ok',
        )
      }
      const arrived = () => new Set(receiver.received.map(({ eventId }) => eventId))
      await until('everything has arrived', arrived, (ids) => [...acknowledged].every((id) => ids.has(id)), 60_000)
      expect(await server.end('SIGTERM')).toBe(0)
      const database = new DatabaseSync(join(disk, 'runbell.db'), { readOnly: true })
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
      database.close()
    },
  )

  test.skipIf(cannot !== null)('a start on a full disk serves reads, and goes on when there is space', async () => {
    let server = await startServer(disk, ENVIRONMENT)
    const type = newType()
    const { event_id: id } = await call<{ event_id: string }>(server, 'POST', '/v1/events', anEvent(type))
    await server.end('SIGKILL')
    const empty = await fill()
    server = await startServer(disk, ENVIRONMENT)
    expect((await request(server, 'GET', `/v1/events/${id}`)).status).toBe(200)
    expect((await request(server, 'POST', '/v1/events', { body: anEvent(type) })).status).toBe(507)
    await empty()
    await until(
      'publishing works',
      () => request(server, 'POST', '/v1/events', { body: anEvent(type) }),
      ({ status }) => status === 202,
    )
    expect(await server.end('SIGTERM')).toBe(0)
  })

  test.skipIf(cannot !== null)(
    'while the server stops: what is in flight goes on record, and it ends in time',
    async () => {
      let answer = () => {}
      const slow = await startReceiver(() => new Promise((resolve) => (answer = () => resolve({ status: 204 }))))
      const server = await startServer(disk, ENVIRONMENT)
      const type = newType()
      await call(server, 'POST', '/v1/endpoints', { url: slow.url, event_types: [type] })
      await call(server, 'POST', '/v1/events', anEvent(type))
      await slow.until((received) => received.length === 1)
      const ballast = () =>
        stat(join(disk, 'ballast')).then(
          (file) => file.size,
          () => 0,
        )
      await until('the ballast is there', ballast, (size) => size > 0)
      const ended = server.end('SIGTERM')
      const isServing = () =>
        fetch(`${server.url}/livez`).then(
          () => true,
          () => false,
        )
      await until('nothing new is let in', isServing, (serving) => !serving)
      await fill()
      answer()
      expect(await ended).toBe(0)
      await slow.close()
      const database = new DatabaseSync(join(disk, 'runbell.db'), { readOnly: true })
      expect(database.prepare('SELECT outcome FROM attempts').all()).toHaveLength(1)
      database.close()
    },
  )
})
