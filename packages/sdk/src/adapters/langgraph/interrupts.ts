import type { ReportedCall } from '../run-report.ts'
import type { CommandLike, InterruptEventLike, InterruptLike } from './framework.ts'

/**
 * What an interrupt asks to be approved: the calls in the shape of LangChain's human-in-the-loop middleware
 * (`{actionRequests: [{name, args}]}`). Anything else is a question, and no approval.
 */
export function approvalsIn({ interrupts, checkpointId }: InterruptEventLike): ReportedCall[] {
  return interrupts.flatMap((interrupt) => {
    const key = interrupts.length === 1 ? checkpointId : (interrupt.id ?? checkpointId)
    return actionsIn(interrupt).map(({ name, args }, index) => ({
      id: keyOf(key, index),
      name,
      input: args,
      unnamed: true,
    }))
  })
}

export interface Decision {
  call: ReportedCall
  approved: boolean
}

/**
 * What a command decides. A process that goes on knows nothing of the interrupt but the checkpoint it happened at: approvals of
 * a lone interrupt are named after that, those of several, which are answered by id, after theirs.
 */
export function decisionsIn({ resume }: CommandLike, checkpointId: string): Decision[] {
  if (!isObject(resume)) return []
  if ('decisions' in resume) return decided(resume, checkpointId)
  return Object.entries(resume).flatMap(([id, answer]) => (isObject(answer) ? decided(answer, id) : []))
}

export function isCommand(input: unknown): input is CommandLike {
  return isObject(input) && input['lg_name'] === 'Command' && input['resume'] !== undefined
}

function decided({ decisions }: Record<string, unknown>, key: string): Decision[] {
  if (!Array.isArray(decisions)) return []
  return decisions.flatMap((decision: unknown, index) => {
    const type = isObject(decision) ? decision['type'] : undefined
    if (type !== 'approve' && type !== 'edit' && type !== 'reject') return []
    return [{ call: { id: keyOf(key, index), name: undefined, unnamed: true }, approved: type !== 'reject' }]
  })
}

function actionsIn({ value }: InterruptLike): { name: string; args: unknown }[] {
  const requests = isObject(value) ? value['actionRequests'] : undefined
  if (!Array.isArray(requests)) return []
  return requests.map((request: unknown) => {
    const { name, args } = isObject(request) ? request : {}
    return { name: typeof name === 'string' ? name : 'tool', args }
  })
}

function keyOf(key: string, index: number): string {
  return `${key}:${index}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
