import { CliError, EXIT } from '../cli-error.ts'

/** Members of an event besides its data: a path that starts with another name is one in the data. */
const ENVELOPE = new Set([
  ...['event_id', 'type', 'schema_version', 'timestamp', 'expires_at', 'mode', 'tenant_id', 'run_id', 'task_id'],
  ...['conversation_id', 'agent', 'trace_id', 'causation_id', 'metadata', 'data', 'idempotency_key'],
])
/** Deeper than any event may be. */
const MAX_DEPTH = 32

/**
 * Changes one field of an event.
 * @param setting such as `data.summary=text`, `agent.name="desk"`, `details.0.value=1`
 * @throws CliError where it leads into something that has no members
 */
export function setField(event: object, setting: string): void {
  const at = setting.indexOf('=')
  if (at < 1) throw wrong(setting, 'write path=value')
  const path = setting.slice(0, at).split('.')
  if (!ENVELOPE.has(path[0] as string)) path.unshift('data')
  if (path.length > MAX_DEPTH || path.includes('')) throw wrong(setting, 'a path is names with single dots between')
  if (path.includes('__proto__')) throw wrong(setting, 'no field has that name')
  let place = event as Record<string, unknown>
  for (const [index, name] of path.slice(0, -1).entries()) {
    const isList = /^\d+$/.test(path[index + 1] as string)
    if (!Object.hasOwn(place, name)) place[name] = isList ? [] : {}
    const inside = place[name]
    if (typeof inside !== 'object' || inside === null) {
      throw wrong(setting, `${path.slice(0, index + 1).join('.')} has no fields`)
    }
    place = inside as Record<string, unknown>
  }
  const last = path.at(-1) as string
  if (Array.isArray(place) && !(/^\d+$/.test(last) && Number(last) <= place.length)) {
    throw wrong(setting, `a list of ${place.length} has no place ${last}`)
  }
  place[last] = valueOf(setting.slice(at + 1))
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function wrong(setting: string, how: string): CliError {
  return new CliError(`--set "${setting.slice(0, 80)}" cannot be done: ${how}`, EXIT.usage)
}
