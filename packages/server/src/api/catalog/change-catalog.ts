import type { TypeDefinition } from '../../catalog/own-type.ts'
import { MAX_TYPES, type Registering } from '../../catalog/register.ts'
import { DEFAULT_SETTINGS } from '../../catalog/contracts.ts'
import { auditOf, type Asking } from '../access/audit.ts'
import { refusedToBound, type Principal } from '../access/principal.ts'
import type { ApiContext } from '../context.ts'
import { refused, type Refused } from '../http/problem.ts'

/** So often somebody else may change the same type meanwhile. */
const MAX_TRIES = 5

/** Types belong to a mode and to no tenant, so who changes them may not be bound to one. @throws Refused */
export function mayChangeCatalog({ tenantId }: Principal): void {
  if (tenantId !== null) throw refusedToBound('Event types belong to all tenants')
}

/**
 * Decides on what is kept now and keeps the answer, again if somebody else was faster: two who publish the next version at
 * the same time do not both get it.
 *
 * @param decide gets `null` where nothing is kept; may throw
 * @throws Refused
 */
export async function changeType(
  call: Asking & { context: ApiContext },
  type: string,
  decide: (kept: TypeDefinition | null) => Registering,
): Promise<Registering & { ok: true }> {
  const { context, now } = call
  const { mode } = call.principal
  const { catalogs, store } = context
  await catalogs.refresh(mode)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const kept = catalogs.kept(mode, type)
    const decision = decide(kept?.definition ?? null)
    if (!decision.ok) throw registrationRefused(decision)
    if (decision.outcome === 'unchanged') return decision
    const result = await store.putEventType({
      ...{ mode, type, now, maxTypes: MAX_TYPES },
      definition: JSON.stringify(decision.definition),
      expected: kept?.revision ?? 0,
      audit: auditOf(call, { action: 'event_type.changed', target: type, tenantId: null, detail: onRecord(decision) }),
    })
    if (result.kind === 'full') {
      const detail = `There may be at most ${MAX_TYPES} event types of your own in a mode.`
      throw refused('quota_exceeded', detail, 'Put what differs only in its data into one type.')
    }
    await catalogs.refresh(mode)
    if (result.kind === 'conflict') continue
    context.wake({ configVersion: result.configVersion })
    return decision
  }
  throw refused('unavailable', 'The type is being changed without a pause.', 'Try again in a moment.')
}

function onRecord({ outcome, definition }: Registering & { ok: true }): Record<string, unknown> {
  const { fact, enforcement, lifecycle, versions } = definition
  const current = versions.at(-1)
  return {
    ...{ outcome, fact, enforcement, lifecycle, version: current?.version ?? null },
    deprecated: versions.filter(({ deprecation }) => deprecation !== null).map(({ version }) => version),
  }
}

/** Settings of a type that there is; of a built-in one nothing else can be changed. */
export function settingsOf(kept: TypeDefinition | null): TypeDefinition {
  return kept ?? { fact: '', runScoped: false, ...DEFAULT_SETTINGS, versions: [] }
}

export function registrationRefused({ errors, fix }: Registering & { ok: false }): Refused {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return refused('invalid_request', `${first?.path ?? ''}: ${first?.message ?? 'is not valid'}${more}.`, fix, errors)
}
