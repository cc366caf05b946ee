import { EVENT_TYPE_PATTERN, type Page } from '@runbell/sdk/contract'
import type { TypeView } from '../../api/catalog/type-view.ts'
import type { CatalogEntry } from '../../generate/catalog-entry.ts'
import { ApiRefused, type ApiClient } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { createProgress } from './progress.ts'
import type { TypeInFile } from './read-catalog.ts'

/** A type as the server has it; `null`: it has none of this name. */
async function findType(api: ApiClient, type: string): Promise<TypeView | null> {
  try {
    return await api.get<TypeView>(`/v1/event-types/${encodeURIComponent(type)}`)
  } catch (error) {
    if (error instanceof ApiRefused && error.status === 404) return null
    throw error
  }
}

/** The types among these that the server has. */
export async function findTypes(api: ApiClient, names: readonly string[]): Promise<Map<string, TypeView>> {
  const found = new Map<string, TypeView>()
  const advance = createProgress('looked at', names.length)
  for (const name of names) {
    const view = await findType(api, name)
    if (view !== null) found.set(name, view)
    advance()
  }
  return found
}

/** Every type of the server's that is a producer's own. */
export async function ownTypes(api: ApiClient): Promise<TypeView[]> {
  const names: string[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page<{ type: string; origin: string }> = await api.get(`/v1/event-types?limit=200${query}`)
    names.push(...page.data.filter(({ origin }) => origin === 'own').map(({ type }) => type))
    cursor = page.next_cursor
  } while (cursor !== null)
  return [...(await findTypes(api, names)).values()]
}

/** @throws CliError for a name that could lead out of the folder of the pages, or a version that is none */
export function entryOfView({ type, fact, run_scoped: runScoped, versions }: TypeView): CatalogEntry {
  if (!EVENT_TYPE_PATTERN.test(type) || !versions.every(({ version }) => Number.isSafeInteger(version))) {
    throw new CliError(`the server has a type ${JSON.stringify(type)} that cannot be one: check that it is Runbell`)
  }
  return {
    ...{ type, fact, runScoped, sample: null },
    versions: versions.map(({ version, schema, examples, retires_at: retiresAt }) => ({
      ...{ version, schema, examples, retiresAt },
    })),
  }
}

export function entryOfFile({ type, fact, run_scoped: runScoped = false, versions }: TypeInFile): CatalogEntry {
  return {
    ...{ type, fact, runScoped, sample: null },
    versions: versions.map(({ version, schema, examples }) => ({ version, schema, examples, retiresAt: null })),
  }
}
