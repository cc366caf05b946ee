/**
 * Whether an event type matches a glob. `*` in the middle is one segment, at the end one or more;
 * `*` alone is every type but `runbell.*`, which must be named (details 13).
 */
export function matchesType(glob: string, type: string): boolean {
  const pattern = glob.split('.')
  if (type.startsWith('runbell.') && pattern[0] !== 'runbell') return false
  if (glob === '*') return true
  const segments = type.split('.')
  const last = pattern.length - 1
  if (pattern[last] === '*' ? segments.length < pattern.length : segments.length !== pattern.length) return false
  return pattern.every((part, index) => part === '*' || part === segments[index])
}

/** Whether a subscription matches a type: any of its globs does; an empty list is `*`. */
export function subscribes(globs: readonly string[], type: string): boolean {
  return globs.length === 0 ? matchesType('*', type) : globs.some((glob) => matchesType(glob, type))
}

const GLOB_PATTERN = /^(\*|[a-z][a-z0-9_]*)(\.(\*|[a-z][a-z0-9_]*)){0,4}$/

/** What is wrong with a glob, or `null`. */
export function globProblem(glob: string): string | null {
  if (glob.length > 100) return 'a type glob has at most 100 characters'
  if (!GLOB_PATTERN.test(glob)) return 'a type glob is "*" or segments such as agent.run.* or agent.*.completed'
  return null
}
