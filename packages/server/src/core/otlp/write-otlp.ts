import type { DiagnosticSeverity } from '@runbell/sdk/contract'
import type { JsonValue } from '../diagnostics/diagnostic.ts'

/** A diagnostic as far as somebody may see it. */
export interface LogToWrite {
  name: string
  severity: DiagnosticSeverity
  /** ms */
  timestamp: number
  recordedAt: number
  traceId: string | null
  spanId: string | null
  message: string | null
  attributes: readonly (readonly [name: string, value: JsonValue])[]
}

/** The first `SeverityNumber` of each word. */
const NUMBERS: Readonly<Record<DiagnosticSeverity, number>> = {
  ...{ trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 },
}

/** Diagnostics as one `ExportLogsServiceRequest` in OTLP JSON, grouped by the services they are from. */
export function writeOtlpLogs(logs: readonly LogToWrite[]): string {
  const groups = new Map<string, { attributes: object[]; records: object[] }>()
  for (const log of logs) {
    const ofResource = log.attributes.filter(([name]) => isOfResource(name))
    const key = JSON.stringify(ofResource)
    let group = groups.get(key)
    if (group === undefined) groups.set(key, (group = { attributes: ofResource.map(pair), records: [] }))
    group.records.push(recordOf(log))
  }
  const resourceLogs = [...groups.values()].map(({ attributes, records }) => ({
    resource: { attributes },
    scopeLogs: [{ scope: { name: 'runbell' }, logRecords: records }],
  }))
  return JSON.stringify({ resourceLogs })
}

function isOfResource(name: string): boolean {
  return name.startsWith('service.') || name.startsWith('deployment.')
}

function recordOf(log: LogToWrite): object {
  const { name, severity, timestamp, recordedAt, traceId, spanId, message } = log
  return {
    timeUnixNano: nanos(timestamp),
    observedTimeUnixNano: nanos(recordedAt),
    severityNumber: NUMBERS[severity],
    severityText: severity.toUpperCase(),
    eventName: name,
    ...(message === null ? {} : { body: { stringValue: message } }),
    attributes: log.attributes.filter(([key]) => !isOfResource(key)).map(pair),
    ...(traceId === null ? {} : { traceId }),
    ...(spanId === null ? {} : { spanId }),
  }
}

function nanos(ms: number): string {
  return `${BigInt(ms) * 1_000_000n}`
}

function pair([key, value]: readonly [string, JsonValue]): object {
  return { key, value: valueOf(value) }
}

function valueOf(value: JsonValue): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (value === null) return {}
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } }
  return { kvlistValue: { values: Object.entries(value).map(pair) } }
}
