import { BUILT_IN_TYPES, SERVICE_TYPES } from '@runbell/sdk/catalog'
import type { Envelope, Mode } from '@runbell/sdk/contract'
import type { TypeView } from './type-view.ts'

const EVENT_ID = { live: 'evt_sample00000001', test: 'evt_test_sample00000001' } as const

/**
 * An event of a type with ids that nobody has; `null`: there is no such version.
 * @param version @default the current one
 * @param now ms
 */
export function sampleEvent(view: TypeView, mode: Mode, version: number | undefined, now: number): Envelope | null {
  const wanted = version ?? view.current_version
  const found = view.versions.find((one) => one.version === wanted)
  if (found === undefined) return null
  const builtIn = BUILT_IN_TYPES.get(view.type) ?? SERVICE_TYPES.get(view.type)
  if (builtIn !== undefined && wanted === view.current_version) return builtIn.samples[mode]
  const at = new Date(now).toISOString()
  return {
    event_id: EVENT_ID[mode],
    type: view.type,
    schema_version: wanted,
    timestamp: at,
    recorded_at: at,
    mode,
    tenant_id: 'default',
    ...(view.run_scoped ? { run_id: mode === 'test' ? 'run_test_sample' : 'run_sample', sequence: 1 } : {}),
    agent: { id: 'sample-agent' },
    data: found.examples[0] ?? {},
  }
}
