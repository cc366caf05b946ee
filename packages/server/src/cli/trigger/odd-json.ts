/**
 * JSON of the same value that `JSON.stringify(JSON.parse(text))` prints differently, whatever its shape: white space, escapes that are
 * not needed, whole numbers written with a fraction. Schemas and readers see the same value.
 */
export function oddJson(value: unknown): string {
  if (typeof value === 'string') return oddString(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? `${value}.0` : String(value)
  if (Array.isArray(value)) return `[ ${value.map(oddJson).join(' , ')} ]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)} : ${oddJson(member)}`)
  return `{ ${members.join(' , ')} }`
}

/** The first letter, and slashes, written as escapes. */
function oddString(text: string): string {
  const plain = JSON.stringify(text)
  const first = /^"[A-Za-z]/.test(plain) ? `"\\u00${plain.charCodeAt(1).toString(16)}${plain.slice(2)}` : plain
  return first.replaceAll('/', '\\/')
}
