const PATTERN = /^(?:\*|[a-z][a-z0-9_]*)(?:\.(?:\*|[a-z][a-z0-9_]*)){0,4}$/
const PATTERN_MAX_LENGTH = 100

/**
 * A test for event types. `*` in the middle is one segment, at the end one or more; `*` alone is every type, also
 * `runbell.*`: what an endpoint does not subscribe to does not come.
 * @param pattern such as `agent.run.completed`, `agent.run.*`, `agent.*.completed`; at most 100 characters
 * @throws TypeError for anything else, so that a mistyped pattern does not silently match nothing
 */
export function typeMatcher(pattern: string): (type: string) => boolean {
  if (pattern.length > PATTERN_MAX_LENGTH || !PATTERN.test(pattern)) {
    throw new TypeError(`not a pattern of event types: "${pattern}"; write agent.run.*, agent.*.completed or *`)
  }
  const parts = pattern.split('.')
  const open = parts.at(-1) === '*'
  return (type) => {
    const segments = type.split('.')
    if (open ? segments.length < parts.length : segments.length !== parts.length) return false
    return parts.every((part, index) => part === '*' || part === segments[index])
  }
}
