/**
 * A deep copy of plain data, so that a caller and the store never share an object. `structuredClone` is not enough:
 * of a view it copies the whole buffer behind it, and the pool behind a small `Buffer` is 8 KiB.
 */
export function copy<Value>(value: Value): Value {
  return copyAny(value) as Value
}

function copyAny(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(copyAny)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copyAny(entry)]))
}
