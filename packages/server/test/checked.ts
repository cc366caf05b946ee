import type { CheckResult, Refusal } from '../src/core/checked-event.ts'
import { checkEvent, type CheckContext } from '../src/core/check-event.ts'
import { scanJson } from '../src/core/json-scan.ts'
import { ANY_DATA, testCatalog } from './catalog.ts'

export const NOW = Date.UTC(2026, 10, 23, 18, 2, 10)

/**
 * The built-in catalog, and types of a producer's own that take any data. Of a request for approval only its deadline is
 * looked at here, so the rest of it may be missing.
 */
export const CATALOG = testCatalog(
  { 'acme.invoice.drafted': ANY_DATA, 'acme.a': ANY_DATA, 'acme.approval.requested': ANY_DATA },
  { 'agent.approval.requested': { enforcement: 'warn', lifecycle: 'warn' } },
)

/** A small valid event, with these members instead of or besides its own; `undefined` takes one away. */
export function event(input: Record<string, unknown> = {}): Record<string, unknown> {
  const data = { status: 'running' }
  const all = { type: 'agent.run.started', agent: { id: 'support-agent' }, run_id: 'run-1', data, ...input }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Scans and checks, as `POST /v1/events` does. */
export function read(
  source: string | Record<string, unknown> | Uint8Array,
  context: Partial<CheckContext> = {},
  span: { start?: number; end?: number } = {},
): CheckResult {
  const json = typeof source === 'string' || source instanceof Uint8Array ? source : JSON.stringify(source)
  const scan = scanJson(typeof json === 'string' ? Buffer.from(json) : json, span)
  if (!scan.ok) throw new Error(scan.error.message)
  let made = 0
  return checkEvent(scan.json, {
    mode: 'live',
    keyTenantId: null,
    now: NOW,
    warnBytes: 20_000,
    idempotencyKey: null,
    newEventId: () => `evt_made${String(++made).padStart(4, '0')}`,
    catalog: CATALOG,
    publicUrl: 'https://runbell.test',
    ...context,
  })
}

export function accepted(
  source: Parameters<typeof read>[0],
  context: Partial<CheckContext> = {},
): Omit<CheckResult & { ok: true }, 'ok'> {
  const result = read(source, context)
  if (!result.ok) throw new Error(`${result.refusal.detail}: ${JSON.stringify(result.refusal.errors)}`)
  return result
}

export function refused(source: Parameters<typeof read>[0], context: Partial<CheckContext> = {}): Refusal {
  const result = read(source, context)
  if (result.ok) throw new Error('it was accepted')
  return result.refusal
}

/** What is wrong at this place. Fails when nothing is wrong at all. */
export function errorsAt(source: Parameters<typeof read>[0], path: string, context?: Partial<CheckContext>): string[] {
  const { errors } = refused(source, context)
  return errors.filter((error) => error.path === path).map(({ message }) => message)
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}
