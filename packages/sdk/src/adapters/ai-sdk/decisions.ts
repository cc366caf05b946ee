import type { ReportedCall } from '../run-report.ts'
import type { MessageLike, PartLike, ToolCallLike } from './framework.ts'

/** Why a generation goes on: what the last message answers. */
export interface Answers {
  decided: { call: ReportedCall; approved: boolean }[]
  /** Calls of tools that the application runs itself, and that have results now. */
  results: ReportedCall[]
}

/** Reads them as the framework does: only the last message counts, and the first answer to a request. */
export function answersIn(messages: readonly MessageLike[]): Answers {
  const answers: Answers = { decided: [], results: [] }
  const last = messages.at(-1)
  if (last?.role !== 'tool') return answers
  const calls = new Map<string, ReportedCall>()
  const requests = new Map<string, string>()
  for (const part of messages.filter(({ role }) => role === 'assistant').flatMap(partsOf)) {
    const { type, toolCallId = part.toolCall?.toolCallId, approvalId } = part
    if (toolCallId === undefined) continue
    if (type === 'tool-call') calls.set(toolCallId, callOf({ ...part, toolCallId }))
    if (type === 'tool-approval-request' && approvalId !== undefined) requests.set(approvalId, toolCallId)
  }
  const seen = new Set<string>()
  for (const { type, approvalId, approved, toolCallId } of partsOf(last)) {
    const id = type === 'tool-approval-response' ? requests.get(approvalId ?? '') : toolCallId
    const call = calls.get(id ?? '')
    if (call === undefined || seen.has(call.id)) continue
    if (type === 'tool-approval-response') answers.decided.push({ call, approved: approved === true })
    else if (type === 'tool-result') answers.results.push(call)
    else continue
    seen.add(call.id)
  }
  return answers
}

export function callOf({ toolCallId, toolName, input }: ToolCallLike): ReportedCall {
  return { id: toolCallId, name: toolName, input }
}

function partsOf({ content }: MessageLike): readonly PartLike[] {
  return typeof content === 'string' ? [] : content
}
