const SOURCE = 'packages/sdk/src/contract/problems.ts'

/** The table of error codes, from the registry of them. */
export async function problemsPage(root) {
  const { PROBLEMS } = await import(new URL(SOURCE, root).href)
  const byStatus = Object.entries(PROBLEMS).sort(([, a], [, b]) => a.status - b.status)
  const rows = byStatus.map(
    ([code, { status, title, retryable }]) => `| \`${code}\` | ${status} | ${title} | ${retryable ? 'yes' : 'no'} |`,
  )
  return `# Problems

<!-- Made from ${SOURCE} by \`npm run generate\`; edit that file, not this one. -->

Every error answer is \`application/problem+json\` (RFC 9457) with one of these codes in \`code\`. A code is never renamed
and never reused. *Retryable* says whether the same request can succeed later without a change.

| code | status | title | retryable |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
