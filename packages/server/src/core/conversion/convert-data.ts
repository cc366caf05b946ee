import { applyEdits, utf8Bytes, type ByteEdit } from '../byte-edits.ts'
import type { JsonIndex } from '../json-index.ts'
import { removalSpans } from '../json-removal.ts'
import { scanJson } from '../json-scan.ts'
import type { ConversionStep } from './conversion-step.ts'
import { nodesAt, tokensOf } from './step-path.ts'

/** Steps may move values deeper than an event's data may be. */
const LIMITS = { maxDepth: 64, maxMembers: 200_000 }
/** Bytes that data may grow to: steps that add to every element of a long list are stopped. */
const MAX_BYTES = 4 * 1024 * 1024

/** `convertData`, read again. Where what came out could not be read, it is the data as it was. */
export function convertIndexed(data: Uint8Array, steps: readonly ConversionStep[]): JsonIndex {
  const converted = scanJson(convertData(data, steps), LIMITS)
  if (converted.ok) return converted.json
  const scan = scanJson(data, LIMITS)
  if (!scan.ok) throw new Error(`data that was accepted cannot be read again: ${scan.error.message}`)
  return scan.json
}

/**
 * Turns data of one version into data of the version before it. Values that no step touches keep their bytes; nothing is
 * parsed and written again. Never throws for steps that were registered.
 *
 * @param data one JSON object that has been scanned before
 */
export function convertData(data: Uint8Array, steps: readonly ConversionStep[]): Uint8Array {
  let bytes = data
  for (const step of steps) {
    const scan = scanJson(bytes, LIMITS)
    // A value that was moved too deep, or too many that were added: without them, the data is what it was.
    if (!scan.ok) return data
    const edits = editsOf(scan.json, step)
    if (edits.length === 0) continue
    bytes = applyEdits(bytes, 0, bytes.length, edits.toSorted(byPlace))
    if (bytes.length > MAX_BYTES) return data
  }
  return bytes
}

function byPlace(one: ByteEdit, other: ByteEdit): number {
  return one.start - other.start || one.end - other.end
}

function editsOf(json: JsonIndex, step: ConversionStep): ByteEdit[] {
  switch (step.op) {
    case 'rename':
      return rename(json, tokensOf(step.path), step.to)
    case 'move':
      return move(json, tokensOf(step.from), tokensOf(step.to))
    case 'drop':
      return remove(json, nodesAt(json, tokensOf(step.path)))
    case 'constant':
      return setConstant(json, tokensOf(step.path), step)
    case 'map':
      return mapValues(json, tokensOf(step.path), step)
  }
}

function remove(json: JsonIndex, nodes: readonly number[]): ByteEdit[] {
  const own = nodes.filter((node) => node !== json.root)
  return removalSpans(json, own).map(({ start, end }) => ({ start, end, text: null }))
}

/** A member that has the new name already goes: no object may have a name twice. */
function rename(json: JsonIndex, tokens: readonly string[], to: string): ByteEdit[] {
  const nodes = nodesAt(json, tokens).filter((node) => json.hasKey(node) && !json.keyEquals(node, to))
  const name = utf8Bytes(JSON.stringify(to))
  const replaced = nodes.map((node) => json.member(json.parent(node), to)).filter((node) => node !== -1)
  // Where one inside the other is renamed, the outer one's end is not touched: only names are.
  const names = nodes.map((node) => ({ start: json.keyStart(node), end: json.keyEnd(node), text: name }))
  return [
    ...names,
    ...remove(
      json,
      replaced.toSorted((a, b) => a - b),
    ),
  ]
}

function move(json: JsonIndex, from: readonly string[], to: readonly string[]): ByteEdit[] {
  const [node] = nodesAt(json, from)
  if (node === undefined || node === json.root) return []
  const name = to.at(-1) as string
  const { holder, missing } = deepest(json, to.slice(0, -1))
  // Not into itself, and not through what is no object.
  if (holder === -1 || (holder >= node && holder < json.subtreeEnd(node))) return []
  const [target] = missing.length === 0 ? [json.member(holder, name)] : [-1]
  if (target === node || (target !== undefined && target !== -1 && isInside(json, node, target))) return []
  let value = json.source(node)
  value = `${JSON.stringify(name)}:${value}`
  for (const outer of missing.toReversed()) value = `${JSON.stringify(outer)}:{${value}}`
  const gone = [node, ...(target === undefined || target === -1 ? [] : [target])].toSorted((a, b) => a - b)
  return [...remove(json, gone), append(json, holder, value, gone)]
}

function isInside(json: JsonIndex, node: number, holder: number): boolean {
  return node > holder && node < json.subtreeEnd(holder)
}

/** The deepest object of a path that is there, and the names below it that are not; -1: something else is in the way. */
function deepest(json: JsonIndex, tokens: readonly string[]): { holder: number; missing: string[] } {
  let holder = json.root
  for (const [index, token] of tokens.entries()) {
    const inner = json.member(holder, token)
    if (inner === -1) return { holder, missing: tokens.slice(index) }
    if (json.kind(inner) !== 'object') return { holder: -1, missing: [] }
    holder = inner
  }
  return { holder, missing: [] }
}

/** A member more at the end of an object of which some are taken away. */
function append(json: JsonIndex, object: number, member: string, gone: readonly number[]): ByteEdit {
  const stays = [...json.children(object)].some((child) => !gone.includes(child))
  const end = json.end(object) - 1
  return { start: end, end, text: utf8Bytes(stays ? `,${member}` : member) }
}

function setConstant(
  json: JsonIndex,
  tokens: readonly string[],
  { value, only_if_absent: keep = false }: Extract<ConversionStep, { op: 'constant' }>,
): ByteEdit[] {
  const name = tokens.at(-1) as string
  const text = JSON.stringify(value)
  const objects = nodesAt(json, tokens.slice(0, -1)).filter((node) => json.kind(node) === 'object')
  return objects.flatMap((object) => {
    const member = json.member(object, name)
    if (member === -1) return append(json, object, `${JSON.stringify(name)}:${text}`, [])
    return keep ? [] : { start: json.start(member), end: json.end(member), text: utf8Bytes(text) }
  })
}

function mapValues(
  json: JsonIndex,
  tokens: readonly string[],
  { values, otherwise }: Extract<ConversionStep, { op: 'map' }>,
): ByteEdit[] {
  return nodesAt(json, tokens).flatMap((node) => {
    const kind = json.kind(node)
    if (kind === 'object' || kind === 'array') return []
    const written = kind === 'string' ? json.text(node) : json.source(node)
    const key = kind === 'number' && !Object.hasOwn(values, written) ? plainNumber(written) : written
    const value = Object.hasOwn(values, key) ? values[key] : otherwise
    if (value === undefined) return []
    return [{ start: json.start(node), end: json.end(node), text: utf8Bytes(JSON.stringify(value)) }]
  })
}

/** Digits that a double keeps, whatever the number. */
const EXACT_DIGITS = 15

/** A number as JSON writers spell it: 1.0 and 1e0 are 1. One that a double would not keep is left as it is. */
function plainNumber(source: string): string {
  const digits = source.replace(/[eE].*$/, '').replaceAll(/\D/g, '')
  const value = Number(source)
  const isKept = digits.length <= EXACT_DIGITS && Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(digits))
  return isKept ? String(value) : source
}
