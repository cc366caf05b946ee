import type { Agent, DataClass } from '@runbell/sdk/contract'
import { classBit, classNames, DELIVERABLE, type ClassMask } from '../data-classes.ts'
import { classesOf } from './attribute-classes.ts'
import type { Diagnostic, DiagnosticSource, JsonValue } from './diagnostic.ts'
import { boundText, boundValue } from './mask-attribute.ts'

/** What is kept of a diagnostic besides what it is looked up by. */
export interface StoredDiagnostic {
  id: string
  timestamp: number
  duration_ms?: number
  task_id?: string
  conversation_id?: string
  agent?: Agent
  span_id?: string
  parent_span_id?: string
  source: DiagnosticSource
  message?: string
  attributes?: Readonly<Record<string, JsonValue>>
  /** The class of each attribute that is not `operational`, the message's under `''`; `*`: all of them are needed. */
  classes?: Readonly<Record<string, DataClass | '*'>>
  /** Attributes of which something was cut off, or all of it. */
  truncated?: readonly string[]
}

/** Attributes of one diagnostic; the rest is dropped. */
const MAX_ATTRIBUTES = 128
/** Characters of an attribute's name; longer ones are dropped. */
const MAX_NAME = 256
/** Characters of all that is kept of one diagnostic; the largest attributes are dropped until it fits. */
const MAX_LENGTH = 32_768
/** Names that are told to have been cut. */
const MAX_TOLD = 50
/** The message, in the lists by name. */
const MESSAGE = ''

export interface Kept {
  /** JSON text of a `StoredDiagnostic`. */
  body: string
  /** Attributes with a credential in them, which was masked; `''` is the message. */
  masked: string[]
}

/** Masks, bounds and classifies a diagnostic: what comes of it is what is stored. */
export function keepDiagnostic(diagnostic: Diagnostic, id: string): Kept {
  const { timestamp, durationMs, taskId, conversationId, agent, spanId, parentSpanId, source, declared } = diagnostic
  const masked: string[] = []
  const truncated: string[] = []
  const message = diagnostic.message === null ? null : boundText(diagnostic.message)
  if (message?.masked === true) masked.push(MESSAGE)
  if (message?.cut === true) truncated.push('message')
  const parts: Part[] = []
  for (const [name, given] of diagnostic.attributes) {
    if (parts.length === MAX_ATTRIBUTES || name.length > MAX_NAME) {
      truncated.push(name.slice(0, MAX_NAME))
      continue
    }
    const { value, masked: hid, cut } = boundValue(name, declared.get(name) === 'credential' ? '***' : given)
    if (hid || declared.get(name) === 'credential') masked.push(name)
    if (cut) truncated.push(name)
    parts.push({ name, value })
  }
  const fitting = sizeOf(parts) <= MAX_LENGTH / 2 ? parts : fit(parts, truncated)
  const classes = Object.fromEntries(classEntries(diagnostic, message?.value ?? null, fitting))
  const attributes = Object.fromEntries(fitting.map(({ name, value }) => [name, value]))
  const stored: StoredDiagnostic = {
    ...{ id, timestamp, source },
    ...(durationMs === null ? {} : { duration_ms: durationMs }),
    ...(taskId === null ? {} : { task_id: taskId }),
    ...(conversationId === null ? {} : { conversation_id: conversationId }),
    ...(agent === null ? {} : { agent }),
    ...(spanId === null ? {} : { span_id: spanId }),
    ...(parentSpanId === null ? {} : { parent_span_id: parentSpanId }),
    ...(message === null ? {} : { message: message.value }),
    ...(fitting.length === 0 ? {} : { attributes }),
    ...(Object.keys(classes).length === 0 ? {} : { classes }),
    ...(truncated.length === 0 ? {} : { truncated: [...new Set(truncated)].slice(0, MAX_TOLD) }),
  }
  return { body: JSON.stringify(stored), masked }
}

interface Part {
  name: string
  value: JsonValue
}

/** Most have texts and numbers alone, and are far from the limit: then nobody writes them out to see. */
function sizeOf(parts: readonly Part[]): number {
  let size = 0
  for (const { name, value } of parts) {
    if (typeof value === 'object' && value !== null) return Infinity
    size += name.length + (typeof value === 'string' ? value.length : 24)
  }
  return size
}

/** Without the largest, until all of it fits. */
function fit(parts: readonly Part[], truncated: string[]): readonly Part[] {
  const lengths = new Map(parts.map((part) => [part, JSON.stringify(part.value).length + part.name.length]))
  let total = [...lengths.values()].reduce((sum, length) => sum + length, 0)
  for (const [part, length] of [...lengths].toSorted(([, one], [, other]) => other - one)) {
    if (total <= MAX_LENGTH) break
    lengths.delete(part)
    truncated.push(part.name)
    total -= length
  }
  return parts.filter((part) => lengths.has(part))
}

function classEntries(
  { declared, name }: Diagnostic,
  message: string | null,
  parts: readonly { name: string; value: JsonValue }[],
): [string, DataClass | '*'][] {
  const entries: [string, ClassMask][] = parts.map((part) => [
    part.name,
    classesOf(part.name, part.value, classDeclared(declared, part.name)),
  ])
  // What such a record says of a model's work is content, however short it is.
  const isContent = name.startsWith('gen_ai.') && !declared.has(MESSAGE)
  if (message !== null) {
    entries.push([MESSAGE, isContent ? DELIVERABLE : classesOf(MESSAGE, message, classDeclared(declared, MESSAGE))])
  }
  return entries
    .filter(([, mask]) => mask !== OPERATIONAL)
    .map(([key, mask]) => [key, mask === DELIVERABLE ? '*' : (classNames(mask)[0] as DataClass)])
}

const OPERATIONAL = classBit('operational')

/** What was said to be a credential is masked; the mask may be seen like anything else that is technical. */
function classDeclared(declared: Diagnostic['declared'], name: string): DataClass | undefined {
  const said = declared.get(name)
  return said === 'credential' ? 'operational' : said
}

/** A stored diagnostic as somebody may see it. */
export interface SeenDiagnostic {
  message: string | null
  attributes: [name: string, value: JsonValue][]
  /** The classes that kept something back, in alphabetical order. */
  withheld: DataClass[]
}

/** Cuts what needs a class that is not granted; what was cut is named by its class (details 11). */
export function cutDiagnostic(stored: StoredDiagnostic, grants: ClassMask): SeenDiagnostic {
  const { message, attributes = {}, classes = {} } = stored
  let missing = 0
  const isSeen = (name: string): boolean => {
    const needed = maskNamed(Object.hasOwn(classes, name) ? classes[name] : undefined)
    missing |= needed & ~grants
    return (needed & ~grants) === 0
  }
  return {
    message: message !== undefined && isSeen(MESSAGE) ? message : null,
    attributes: Object.entries(attributes).filter(([name]) => isSeen(name)),
    get withheld() {
      return classNames(missing)
    },
  }
}

function maskNamed(name: DataClass | '*' | undefined): ClassMask {
  if (name === undefined) return OPERATIONAL
  return name === '*' ? DELIVERABLE : classBit(name)
}

export function readStored(body: string): StoredDiagnostic {
  return JSON.parse(body) as StoredDiagnostic
}
