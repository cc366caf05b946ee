/**
 * JSON written in one way only: keys in the order of their UTF-16 code units, no white space, numbers as JavaScript writes
 * them. Source: RFC 8785, section 3.2.
 * @throws TypeError for what is not JSON: a BigInt, a cycle
 */
export function canonicalJson(value: unknown): string {
  // As `JSON.stringify` sees it: dates are text, undefined members are not there.
  return write(JSON.parse(JSON.stringify(value)) as unknown)
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${write(inner)}`)
  return `{${members.join(',')}}`
}
