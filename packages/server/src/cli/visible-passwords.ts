/** Flags whose value may be a URL with a password in it, and what takes its place. */
const FLAGS: Readonly<Record<string, string>> = {
  '--database-url': 'RUNBELL_DATABASE_URL',
  '--to': 'RUNBELL_DATABASE_URL',
  '--egress-proxy': 'RUNBELL_EGRESS_PROXY',
}

/**
 * The flags among these arguments that show a password to every user of the machine, in the list of processes.
 * @returns a sentence for each, that shows nothing of it
 */
export function visiblePasswords(args: readonly string[]): string[] {
  const found = new Set<string>()
  for (const [index, arg] of args.entries()) {
    if (arg === '--') break
    const at = arg.indexOf('=')
    const flag = at === -1 ? arg : arg.slice(0, at)
    const value = at === -1 ? args[index + 1] : arg.slice(at + 1)
    if (Object.hasOwn(FLAGS, flag) && hasPassword(value ?? '')) found.add(flag)
  }
  return [...found].map(
    (flag) => `other users of this machine can see the password in ${flag}: give the URL in ${FLAGS[flag]} instead`,
  )
}

function hasPassword(text: string): boolean {
  const url = URL.parse(text)
  if (url !== null) return url.password !== '' || url.searchParams.has('password')
  // One that is not percent-encoded: still a password.
  return /^[a-z]+:\/\/[^/\s@]*:[^\s@]+@/i.test(text)
}
