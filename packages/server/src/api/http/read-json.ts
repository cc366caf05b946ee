import type { JsonIndex } from '../../core/json-index.ts'
import { scanJson } from '../../core/json-scan.ts'
import { refusalOfJson } from './json-refusal.ts'
import { bodyKind, isEncoded, tooLarge, unsupportedMediaType } from './content-type.ts'
import { Refused, invalid } from './problem.ts'
import { readRequest } from './read-body.ts'

/** Reads a JSON body, an object, as strictly as a published event is read. */
export async function readJson(request: Request, maxBytes: number, optional: boolean): Promise<unknown> {
  const read = await readRequest(request, maxBytes)
  if (read.kind === 'too_large') throw tooLarge(maxBytes)
  const bytes = read.kind === 'read' ? read.bytes : new Uint8Array(0)
  if (optional && bytes.length === 0) return {}
  const { headers } = request
  if (bodyKind(headers.get('content-type')) !== 'json' || isEncoded(headers.get('content-encoding'))) {
    throw unsupportedMediaType('application/json', headers.get('content-encoding'))
  }
  const scan = scanJson(bytes)
  if (!scan.ok) throw new Refused(refusalOfJson(scan.error))
  if (scan.json.kind(scan.json.root) !== 'object') throw invalid([{ path: '', message: 'the body must be an object' }])
  refuseProto(scan.json)
  return scan.json.value(scan.json.root)
}

/** Nothing here has a member of this name, and libraries that build objects lose it silently. */
function refuseProto(json: JsonIndex): void {
  for (let node = 1; node < json.nodeCount; node++) {
    if (!json.hasKey(node) || !json.keyEquals(node, '__proto__')) continue
    throw invalid([{ path: json.pointer(node, 200), message: 'is a name that cannot be used' }])
  }
}
