import type { Agent, ProblemDetail, Warning } from '@runbell/sdk/contract'
import type { JsonIndex } from './json-index.ts'
import { nearest } from './nearest.ts'
import { parseTime } from './rfc3339.ts'

/** Text that stands in ids and names: no control characters. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const MAX_METADATA_PAIRS = 20
const MAX_METADATA_LENGTH = 256
/** Errors, and fields that were dropped, reported for one event; the rest would not help anyone. */
const MAX_ERRORS = 20
/** Characters of a path that is reported: names can be as long as the body. */
const MAX_PATH = 128

/** Reads the members of a published event one by one, and collects all that is wrong with them. */
export class EnvelopeReader {
  readonly errors: ProblemDetail[] = []
  readonly warnings: Warning[] = []
  readonly #json: JsonIndex
  readonly #members = new Map<string, number>()

  /** @param json an object */
  constructor(json: JsonIndex) {
    this.#json = json
    for (const child of json.children(json.root)) this.#members.set(json.keyText(child), child)
  }

  fail(path: string, message: string): null {
    if (this.errors.length < MAX_ERRORS) this.errors.push({ path, message })
    return null
  }

  /** Refuses every member that is not in the list. */
  allowOnly(known: readonly string[], refused: Readonly<Record<string, string>>): void {
    for (const [key, node] of this.#members) {
      if (known.includes(key)) continue
      this.fail(
        this.#json.pointer(node, MAX_PATH),
        Object.hasOwn(refused, key) ? (refused[key] as string) : unknown(key, known),
      )
    }
  }

  /** The node of a member, or -1. */
  node(key: string): number {
    return this.#members.get(key) ?? -1
  }

  /** A string member; `null` when absent or wrong. */
  text(key: string): string | null {
    const node = this.node(key)
    if (node === -1) return null
    const kind = this.#json.kind(node)
    return kind === 'string' ? this.#json.text(node) : this.fail(`/${key}`, `is a string, not ${article(kind)}`)
  }

  pattern(key: string, pattern: RegExp, shape: string): string | null {
    const text = this.text(key)
    return text === null || pattern.test(text) ? text : this.fail(`/${key}`, shape)
  }

  /** A string of 1 to `maxLength` characters without control characters. */
  name(key: string, maxLength: number): string | null {
    const text = this.text(key)
    if (text === null) return null
    const problem = nameProblem(text, maxLength)
    return problem === null ? text : this.fail(`/${key}`, problem)
  }

  time(key: string): number | null {
    const text = this.text(key)
    if (text === null) return null
    return parseTime(text) ?? this.fail(`/${key}`, 'is an RFC 3339 time such as 2026-11-23T18:02:10.120Z')
  }

  integer(key: string, minimum: number, maximum: number): number | null {
    const node = this.node(key)
    if (node === -1) return null
    const value = this.#json.kind(node) === 'number' ? this.#json.value(node) : null
    if (Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return value as number
    return this.fail(`/${key}`, `is a whole number from ${minimum} to ${maximum}`)
  }

  agent(): Agent | null {
    const node = this.node('agent')
    if (node === -1) return this.fail('/agent', 'is required: {"id": "…"} says which agent acted')
    if (this.#json.kind(node) !== 'object') return this.fail('/agent', 'is an object {id, name?, version?}')
    const found: Partial<Agent> = {}
    for (const child of this.#json.children(node)) {
      const key = this.#json.keyText(child)
      if (key === 'id' || key === 'name' || key === 'version') {
        const value = this.#agentField(key, child)
        if (value !== null) found[key] = value
      } else {
        this.#dropped(child, 'agent has only id, name and version')
      }
    }
    if (found.id === undefined && this.#json.member(node, 'id') === -1) return this.fail('/agent/id', 'is required')
    // In the order the contract gives, whatever order they came in.
    const { id = '', name, version } = found
    return { id, ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) }
  }

  #dropped(node: number, message: string): void {
    if (this.warnings.length >= MAX_ERRORS) return
    this.warnings.push({ code: 'field_dropped', path: this.#json.pointer(node, MAX_PATH), message })
  }

  #agentField(key: 'id' | 'name' | 'version', node: number): string | null {
    const kind = this.#json.kind(node)
    if (kind !== 'string') return this.fail(`/agent/${key}`, `is a string, not ${article(kind)}`)
    const text = this.#json.text(node)
    const problem = nameProblem(text, key === 'version' ? 64 : 255)
    return problem === null ? text : this.fail(`/agent/${key}`, problem)
  }

  metadata(): Record<string, string> | null {
    const node = this.node('metadata')
    if (node === -1) return null
    if (this.#json.kind(node) !== 'object') return this.fail('/metadata', 'is an object of strings')
    const pairs: [string, string][] = []
    for (const child of this.#json.children(node)) {
      const key = this.#json.keyText(child)
      const path = this.#json.pointer(child, MAX_PATH)
      if (this.#json.kind(child) !== 'string') this.fail(path, 'is a string: metadata holds strings only')
      else if (key.length > MAX_METADATA_LENGTH || this.#json.text(child).length > MAX_METADATA_LENGTH) {
        this.fail(path, `has a name or value of more than ${MAX_METADATA_LENGTH} characters`)
      } else pairs.push([key, this.#json.text(child)])
    }
    if (pairs.length > MAX_METADATA_PAIRS) return this.fail('/metadata', `has more than ${MAX_METADATA_PAIRS} pairs`)
    return Object.fromEntries(pairs)
  }

  /** A time inside `data`, where it is one. */
  timeInData(key: string): number | null {
    const node = this.#json.member(this.node('data'), key)
    return node !== -1 && this.#json.kind(node) === 'string' ? parseTime(this.#json.text(node)) : null
  }
}

function unknown(key: string, known: readonly string[]): string {
  const suggestion = nearest(key, known)
  return `there is no such field${suggestion === null ? '' : `; did you mean "${suggestion}"?`}`
}

function nameProblem(text: string, maxLength: number): string | null {
  if (text.length === 0 || text.length > maxLength) return `has 1 to ${maxLength} characters`
  return CONTROL.test(text) ? 'may not contain control characters' : null
}

function article(kind: string): string {
  if (kind === 'null') return 'null'
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`
}
