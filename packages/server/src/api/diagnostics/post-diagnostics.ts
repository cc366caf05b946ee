import type { DiagnosticResult, DiagnosticsAccepted, Warning } from '@runbell/sdk/contract'
import type { Refusal } from '../../core/checked-event.ts'
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts'
import { readDiagnostic } from '../../core/diagnostics/read-diagnostic.ts'
import { scanJson } from '../../core/json-scan.ts'
import { splitJsonArray, type JsonSpan } from '../../core/json-split.ts'
import { joinPointer } from '../../core/json-pointer.ts'
import { jsonAnswer, type Answer } from '../http/answer.ts'
import { bodyKind, isEncoded, tooLarge, unsupportedMediaType } from '../http/content-type.ts'
import { refusalOfJson } from '../http/json-refusal.ts'
import { Refused, refused, renderProblem } from '../http/problem.ts'
import { splitLines } from '../publish/spans.ts'
import { retryAfter } from '../publish/rate-headers.ts'
import { DIAGNOSTIC_LIMITS, tooMany, type Ingest, type IngestCall } from './ingest.ts'
import { Pace } from './pace.ts'
import { prepareAll, type KeptDiagnostic, type Prepared } from './prepare-diagnostics.ts'

/** Bytes of one diagnostic; what is kept of it is bounded further. */
const ITEM_BYTES = 256 * 1024
const MOST_WARNINGS = 20

/** `POST /v1/diagnostics`: a JSON array or NDJSON; each item stands alone, a bad one is rejected and harms no other. */
export const DIAGNOSTICS_INGEST: Ingest = {
  refusal(header) {
    if (bodyKind(header('content-type')) !== null && !isEncoded(header('content-encoding'))) return null
    return unsupportedMediaType('application/json, application/x-ndjson', header('content-encoding'))
  },
  handle: postDiagnostics,
}

async function postDiagnostics(call: IngestCall): Promise<Answer> {
  const { requestId, diagnostics } = call
  const { read, rows, kept } = await diagnostics.oneAtATime(() => readAll(call))
  const waits = kept.flatMap((one) => (one.kind === 'limited' ? one.waitMs : []))
  if (waits.length > 0 && waits.length === read.length) throw tooMany(Math.min(...waits))
  await diagnostics.intake.add(rows)
  let next = 0
  const results = read.map((one): DiagnosticResult => {
    if (!isDiagnostic(one)) return { status: 'rejected', problem: renderProblem(one, requestId) }
    return resultOf(kept[next++] as KeptDiagnostic, requestId)
  })
  const answer: DiagnosticsAccepted = { results }
  return jsonAnswer(202, answer, waits.length === 0 ? {} : retryAfter(Math.min(...waits)))
}

async function readAll(call: IngestCall): Promise<Prepared & { read: (Diagnostic | Refusal)[] }> {
  const pace = new Pace(call.context.clock)
  const read: (Diagnostic | Refusal)[] = []
  for (const { start, end } of findItems(call)) {
    if (pace.isDue()) await pace.take()
    read.push(readOne(call, call.bytes.subarray(start, end)))
  }
  return { read, ...(await prepareAll(call, read.filter(isDiagnostic), pace)) }
}

function isDiagnostic(one: Diagnostic | Refusal): one is Diagnostic {
  return 'source' in one
}

function readOne({ context, principal }: IngestCall, bytes: Uint8Array): Diagnostic | Refusal {
  if (bytes.length > ITEM_BYTES) return tooLarge(ITEM_BYTES).refusal
  const scan = scanJson(bytes)
  if (!scan.ok) return refusalOfJson(scan.error)
  const { mode, tenantId: keyTenantId } = principal
  const read = readDiagnostic(scan.json, { mode, keyTenantId, now: context.clock.now() })
  return read.ok ? read.diagnostic : read.refusal
}

function resultOf(kept: KeptDiagnostic, requestId: string): DiagnosticResult {
  if (kept.kind === 'limited') {
    return { status: 'rejected', problem: renderProblem(tooMany(kept.waitMs).refusal, requestId) }
  }
  return { status: 'accepted', id: kept.id, warnings: kept.masked.slice(0, MOST_WARNINGS).map(warningOf) }
}

function warningOf(name: string): Warning {
  const path = name === '' ? '/message' : joinPointer(['attributes', name], 128)
  return { code: 'credential_masked', path, message: 'held what looks like a credential; it was masked' }
}

function findItems({ bytes, header }: IngestCall): JsonSpan[] {
  const maxItems = DIAGNOSTIC_LIMITS.items
  if (bodyKind(header('content-type')) === 'ndjson') {
    const lines = splitLines(bytes, maxItems)
    if (lines !== null) return lines
    const detail = `A request may have at most ${maxItems} diagnostics.`
    throw refused('payload_too_large', detail, 'Send them in several requests.')
  }
  const split = splitJsonArray(bytes, { maxItems })
  if (!split.ok) throw new Refused(refusalOfJson(split.error))
  return split.items
}
