/** RFC 3339 in UTC with milliseconds. */
export function timeView(ms: number): string {
  return new Date(ms).toISOString()
}

export function optionalTimeView(ms: number | null): string | null {
  return ms === null ? null : timeView(ms)
}
