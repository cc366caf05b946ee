import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import { MODES, type Mode } from '@runbell/sdk/contract'
import type { Catalog, TypeContract } from '../core/catalog/type-contract.ts'
import type { Clock } from '../core/clock.ts'
import type { EventTypeRow } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { DEFAULT_SETTINGS, builtInContract, ownContract } from './contracts.ts'
import { readDefinition, type TypeDefinition } from './own-type.ts'

/** The catalogs of both modes, from a copy in memory. */
export interface Catalogs {
  /** What is known now. */
  of(mode: Mode): Catalog
  /** What is kept of a type; `null`: nothing, which for a built-in type means the default settings. */
  kept(mode: Mode, type: string): KeptType | null
  /** All that are kept. */
  keptTypes(mode: Mode): KeptType[]
  /** Reads again what may have changed; all who ask meanwhile share one read. @throws StoreUnavailable */
  refresh(mode: Mode): Promise<void>
  /**
   * Reads again for somebody who misses a type, unless that was done in the last second.
   * @returns whether anything was read
   * @throws StoreUnavailable
   */
  lookAgain(mode: Mode): Promise<boolean>
  /** The configuration has this version now: reads again where the copy is older. @throws StoreUnavailable */
  know(configVersion: number): Promise<void>
}

/** So often a missing type is looked for: whoever publishes nothing but unknown types does not keep the store busy. */
const LOOK_AGAIN_MS = 1000

/** A type as it is kept. */
export interface KeptType {
  type: string
  revision: number
  definition: TypeDefinition
  createdAt: number
  updatedAt: number
}

interface Loaded extends Catalog {
  kept: Map<string, KeptType & { contract: TypeContract }>
}

/** Loads both catalogs. @throws StoreUnavailable */
export async function openCatalogs(store: Store, clock: Pick<Clock, 'monotonic'>): Promise<Catalogs> {
  const loaded = new Map<Mode, Loaded>()
  /** The read under way, and the one that begins after it. */
  const loads = new Map<Mode, { running: Promise<void>; next: Promise<void> | null }>()
  const lookedAt = new Map<Mode, number>()
  /** The version of the configuration that each copy was read at, or is being read for. */
  const versions = new Map<Mode, number>()

  async function load(mode: Mode): Promise<void> {
    const { types, configVersion } = await store.loadEventTypes({ mode })
    versions.set(mode, Math.max(versions.get(mode) ?? 0, configVersion))
    loaded.set(mode, catalogOf(types, loaded.get(mode)?.kept))
  }

  function start(mode: Mode): Promise<void> {
    const running = load(mode).finally(() => void (loads.get(mode)?.next ?? loads.delete(mode)))
    loads.set(mode, { running, next: null })
    return running
  }

  /** A read that is under way may have looked before the change it is asked about: the next one begins after it. */
  function refresh(mode: Mode): Promise<void> {
    const under = loads.get(mode)
    if (under === undefined) return start(mode)
    const again = () => start(mode)
    return (under.next ??= under.running.then(again, again))
  }

  await Promise.all(MODES.map(refresh))
  const catalog = (mode: Mode) => loaded.get(mode) as Loaded
  return {
    of: catalog,
    kept: (mode, type) => catalog(mode).kept.get(type) ?? null,
    keptTypes: (mode) => [...catalog(mode).kept.values()],
    refresh,
    async lookAgain(mode) {
      const running = loads.get(mode)?.running
      if (running === undefined && clock.monotonic() - (lookedAt.get(mode) ?? -Infinity) < LOOK_AGAIN_MS) return false
      lookedAt.set(mode, clock.monotonic())
      await (running ?? refresh(mode))
      return true
    },
    async know(configVersion) {
      const older = MODES.filter((mode) => (versions.get(mode) ?? 0) < configVersion)
      for (const mode of older) versions.set(mode, configVersion)
      await Promise.all(older.map(refresh))
    },
  }
}

const BUILT_IN = new Map([...BUILT_IN_TYPES, ...SERVICE_TYPES])
/** Compiled once for the whole process. */
const DEFAULTS = new Map([...BUILT_IN].map(([name, type]) => [name, builtInContract(type, DEFAULT_SETTINGS)]))

/** @param before whose contracts stay as they are where nothing has changed: each is compiled once */
function catalogOf(rows: readonly EventTypeRow[], before: Loaded['kept'] = new Map()): Loaded {
  const kept: Loaded['kept'] = new Map()
  for (const row of rows) {
    const earlier = before.get(row.type)
    kept.set(row.type, earlier?.revision === row.revision ? earlier : keep(row))
  }
  return {
    kept,
    find: (type) => kept.get(type)?.contract ?? DEFAULTS.get(type) ?? null,
    *names() {
      yield* BUILT_IN.keys()
      for (const name of kept.keys()) if (!BUILT_IN.has(name)) yield name
    },
  }
}

function keep({ type, revision, definition: text, createdAt, updatedAt }: EventTypeRow) {
  const definition = readDefinition(text)
  const fact = BUILT_IN.get(type)
  const contract = fact === undefined ? ownContract(type, definition) : builtInContract(fact, definition)
  return { type, revision, definition, createdAt, updatedAt, contract }
}
