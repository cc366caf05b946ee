import type { JsonIndex } from '../json-index.ts'
import { scanJson } from '../json-scan.ts'
import { parseTime } from '../rfc3339.ts'
import type { Subject, TimelineEvent } from './timeline.ts'

const SUBJECTS = [
  { prefix: 'agent.tool_call.', kind: 'tool_call', member: 'tool_call_id' },
  { prefix: 'agent.approval.', kind: 'approval', member: 'approval_id' },
  { prefix: 'agent.message.', kind: 'message', member: 'message_id' },
] as const

/** Bodies have members of their own beside what was accepted, and one level more. */
const LIMITS = { maxDepth: 64, maxMembers: 20_000 }

type Told = Pick<TimelineEvent, 'subject' | 'status' | 'title' | 'timestamp'>

/** What a timeline shows of an event's body, as its reader may see it. An empty body tells nothing. */
export function readTimelineEvent(type: string, body: Uint8Array): Told {
  const scan = body.length === 0 ? null : scanJson(body, LIMITS)
  if (scan === null || !scan.ok) return { subject: null, status: null, title: null, timestamp: null }
  const { json } = scan
  const data = json.member(json.root, 'data')
  const tool = memberOf(json, data, 'tool')
  const timestamp = textIn(json, json.root, 'timestamp')
  return {
    subject: subjectOf(json, data, type),
    status: textIn(json, data, 'status'),
    title: tool === -1 ? null : textIn(json, tool, 'name'),
    timestamp: timestamp === null ? null : parseTime(timestamp),
  }
}

function subjectOf(json: JsonIndex, data: number, type: string): Subject | null {
  const subject = SUBJECTS.find(({ prefix }) => type.startsWith(prefix))
  const id = subject === undefined ? null : textIn(json, data, subject.member)
  return subject === undefined || id === null ? null : { kind: subject.kind, id }
}

/** One member of `data`, as a value; `null`: it is not there, or not to be seen. */
export function readDataMember(body: Uint8Array, name: string): unknown {
  const scan = body.length === 0 ? null : scanJson(body, LIMITS)
  if (scan === null || !scan.ok) return null
  const { json } = scan
  const node = memberOf(json, json.member(json.root, 'data'), name)
  return node === -1 ? null : json.value(node)
}

function textIn(json: JsonIndex, node: number, name: string): string | null {
  const member = memberOf(json, node, name)
  return member !== -1 && json.kind(member) === 'string' ? json.text(member) : null
}

function memberOf(json: JsonIndex, node: number, name: string): number {
  return node === -1 || json.kind(node) !== 'object' ? -1 : json.member(node, name)
}
