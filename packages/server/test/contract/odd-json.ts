/**
 * JSON text that means the same and is written unlike `JSON.stringify` would: white space of every kind around
 * everything, the first letter of a long text as an escape, whole numbers with a fraction.
 */
export function oddJson(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(oddJson).join(' ,\n')}\t]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, inner]) => `"${name}" :${oddJson(inner)}`)
    return `{\r\n${members.join(' , ')} }`
  }
  if (typeof value === 'string') return oddText(value)
  if (typeof value === 'number' && Number.isInteger(value)) return `${value}.0e0`
  return JSON.stringify(value)
}

/** Only texts with a space in them: ids and words out of a set stay easy to look for. */
function oddText(value: string): string {
  const plain = JSON.stringify(value)
  if (!value.includes(' ')) return plain
  return `"\\u${value.charCodeAt(0).toString(16).padStart(4, '0')}${plain.slice(2)}`
}
