import { SAMPLE_EVENT, eventOfSize } from './contract-events.ts'
import { BUILT_IN_TYPES } from '@runbell/sdk/catalog'
import { DEFAULT_SETTINGS, builtInContract } from '../packages/server/src/catalog/contracts.ts'
import { checkEvent, type CheckContext } from '../packages/server/src/core/check-event.ts'
import type { Catalog } from '../packages/server/src/core/catalog/type-contract.ts'
import { maskOf } from '../packages/server/src/core/data-classes.ts'
import { scanJson } from '../packages/server/src/core/json-scan.ts'
import { decodeUtf8 } from '../packages/server/src/core/json-utf8.ts'

/** What the event contract adds to an event, in µs of CPU. */
export interface ContractCost {
  /** Scanning alone, which every event needs. */
  scan: number
  /** Masking, validating and planning, and the uncut body. */
  check: number
  /** The same with four distinct bodies. */
  fourBodies: number
}

const contracts = new Map([...BUILT_IN_TYPES].map(([name, type]) => [name, builtInContract(type, DEFAULT_SETTINGS)]))
const catalog: Catalog = { find: (type) => contracts.get(type) ?? null, names: () => contracts.keys() }
const context: CheckContext = {
  mode: 'live',
  keyTenantId: null,
  now: 1_795_000_000_000,
  warnBytes: 1e9,
  idempotencyKey: null,
  newEventId: () => 'evt_00000000000000000000000000',
  catalog,
  publicUrl: 'https://runbell.example',
  decode: (bytes, start, end) =>
    end - start < 64
      ? decodeUtf8(bytes, start, end)
      : Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'),
}
/** Four endpoints that may see different things: four distinct bodies, none of them the uncut one. */
const GRANTS = [
  maskOf([]),
  maskOf(['operational']),
  maskOf(['tool_input', 'personal']),
  maskOf(['tool_output', 'operational']),
]

function prepare(bytes: Uint8Array, bodies: number): number {
  const scan = scanJson(bytes, { decode: context.decode as NonNullable<CheckContext['decode']> })
  if (!scan.ok) throw new Error(scan.error.message)
  if (bodies === -1) return scan.json.nodeCount
  const checked = checkEvent(scan.json, context)
  if (!checked.ok) throw new Error(`${checked.refusal.detail} ${JSON.stringify(checked.refusal.errors)}`)
  let total = checked.event.source.length
  for (const grants of GRANTS.slice(0, bodies)) {
    const body = checked.bodies.bodyFor({ format: 'runbell', grants, pin: 1 })
    if (body === null) throw new Error('an uncut body is not what is measured')
    total += body.rest.length
  }
  return total
}

/** CPU of one call in µs: the median of rounds, each long enough to be measured. */
function cost(bytes: Uint8Array, bodies: number): number {
  const calls = Math.max(20, Math.round(2_000_000 / (bytes.length + 1000)))
  const rounds: number[] = []
  for (let round = 0; round < 11; round++) {
    const before = process.cpuUsage()
    for (let call = 0; call < calls; call++) prepare(bytes, bodies)
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / calls)
  }
  return rounds.toSorted((a, b) => a - b)[5] as number
}

export function measureContract(bytes: Uint8Array = SAMPLE_EVENT): ContractCost {
  for (const bodies of [-1, 0, 4]) cost(bytes, bodies)
  return { scan: cost(bytes, -1), check: cost(bytes, 0), fourBodies: cost(bytes, 4) }
}

/** µs of the whole by size of the event, in KiB. */
export function measureContractSizes(sizes: readonly number[]): { kib: number; micros: number; perKib: number }[] {
  return sizes.map((kib) => {
    const micros = cost(eventOfSize(kib * 1024), 4)
    return { kib, micros, perKib: micros / kib }
  })
}
