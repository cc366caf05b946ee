import { isDeepStrictEqual } from 'node:util'
import type { TypeView } from '../../api/catalog/type-view.ts'
import type { ApiClient } from '../api-client.ts'
import type { TypeInFile, VersionInFile } from './read-catalog.ts'

/** What became of a type. */
export interface PushedType {
  type: string
  outcome: 'created' | 'new_version' | 'changed' | 'unchanged'
  current_version: number
}

/** Makes a server's type say what the catalog says. Run again after a fault, it goes on where it was. */
export async function pushType(api: ApiClient, type: TypeInFile, known: TypeView | null): Promise<PushedType> {
  const [firstVersion, ...later] = type.versions as [VersionInFile, ...VersionInFile[]]
  let view =
    known ?? (await api.post<TypeView>('/v1/event-types', { ...settingsOf(type), ...definitionOf(firstVersion) }))
  let changed = false
  if (known !== null && !hasSettings(known, type)) {
    const { type: _name, run_scoped: _scope, ...settings } = settingsOf(type)
    view = await api.patch<TypeView>(pathOf(type), settings)
    changed = true
  }
  const before = view.current_version
  for (const version of known === null ? later : type.versions) {
    const there = view.versions.find((one) => one.version === version.version)
    if (there !== undefined && isSame(there, version)) continue
    const after = await api.post<TypeView>(`${pathOf(type)}/versions`, {
      version: version.version,
      ...definitionOf(version),
      ...(version.down_conversion === undefined ? {} : { down_conversion: version.down_conversion }),
    })
    // Of a version that is not the current one any more, other words and examples are not taken.
    if (!isDeepStrictEqual(after.versions, view.versions)) changed = true
    view = after
  }
  const { current_version } = view
  const grown = current_version > before ? 'new_version' : changed ? 'changed' : 'unchanged'
  return { type: type.type, outcome: known === null ? 'created' : grown, current_version }
}

function pathOf({ type }: TypeInFile): string {
  return `/v1/event-types/${encodeURIComponent(type)}`
}

function definitionOf({ schema, examples }: VersionInFile) {
  return { schema, examples }
}

function settingsOf({ type, fact, run_scoped = false, enforcement = 'enforce', lifecycle = 'warn' }: TypeInFile) {
  return { type, fact, run_scoped, enforcement, lifecycle }
}

function hasSettings(view: TypeView, type: TypeInFile): boolean {
  const { fact, enforcement, lifecycle } = settingsOf(type)
  return view.fact === fact && view.enforcement === enforcement && view.lifecycle === lifecycle
}

function isSame(there: TypeView['versions'][number], { schema, examples }: VersionInFile): boolean {
  return JSON.stringify([there.schema, there.examples]) === JSON.stringify([schema, examples])
}
