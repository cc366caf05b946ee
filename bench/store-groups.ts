import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../packages/server/src/core/new-id.ts'
import { prepareEnvelope } from '../packages/server/src/core/render.ts'
import { createSystemRandom } from '../packages/server/src/system.ts'
import type { AcceptItem } from '../packages/server/src/store/accept.ts'
import { openSqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts'

const random = createSystemRandom()
const NODE = 'bench'

export interface GroupResult {
  group: number
  eventsPerSecond: number
}

/** Events a second the store takes when `group` of them share a commit; each call waits for its commit. */
export async function measureGroups(folder: string, group: number, seconds: number): Promise<GroupResult> {
  const path = await mkdtemp(join(folder, `group-${group}-`))
  const store = await openSqliteStore({ path: join(path, 'runbell.db') })
  try {
    const { configVersion } = await store.joinNode({ nodeId: NODE, leaseMs: 60_000 })
    const data = Buffer.from(JSON.stringify({ status: 'running', text: randomBytes(440).toString('hex') }))
    const until = performance.now() + seconds * 1000
    const started = performance.now()
    let events = 0
    while (performance.now() < until) {
      const items = Array.from({ length: group }, () => event(data, configVersion))
      const results = await store.acceptEvents({ nodeId: NODE, recordedAt: Date.now(), runEventBudget: 1000, items })
      if (results.some(({ kind }) => kind !== 'accepted')) throw new Error('the store refused an event')
      events += group
    }
    return { group, eventsPerSecond: (events * 1000) / (performance.now() - started) }
  } finally {
    await store.close()
    await rm(path, { recursive: true, force: true })
  }
}

let runs = 0

/** An event of about 1 KB, its run shared with 19 others. */
function event(data: Uint8Array, configVersion: number): AcceptItem {
  const now = Date.now()
  const eventId = newId('event', 'live', now, random)
  const runId = `run_${Math.floor(runs++ / 20)}`
  const fields = {
    ...{ eventId, type: 'agent.run.started', schemaVersion: 1, timestamp: now, expiresAt: null, mode: 'live' as const },
    ...{ tenantId: 'default', runId, taskId: null, conversationId: null, agent: { id: 'refund-agent' } },
    ...{ traceId: null, causationId: null, metadata: null },
  }
  return {
    ...fields,
    deadline: null,
    idempotencyKey: null,
    source: data,
    dataStart: 0,
    dataEnd: data.length,
    envelope: prepareEnvelope(fields),
    fingerprint: createHash('sha256').update(eventId).digest(),
    targets: [],
    configVersion,
    bodies: [],
    announces: null,
    classes: 0,
    lifecycle: null,
  }
}
