import type { Envelope } from '../../contract/envelope.ts'
import type { ValueOf } from '../field.ts'
import type { TOOL } from '../definitions.ts'
import type { IdOfMode } from './sample.ts'

/**
 * The story the samples tell: an agent at Acme's desk answers customers who want their money back. One run goes well
 * (order 7781); the others show what else can happen.
 */

interface DeskRun {
  run: string
  conversation: string
}

/** Refunded after an approval. */
export const REFUNDED: DeskRun = { run: 'run_01m84s53wc', conversation: 'thread_8841' }
/** The payment service did not answer. */
export const UNCONFIRMED: DeskRun = { run: 'run_01m84vk0hn', conversation: 'thread_8846' }
/** More than the desk may pay out. */
export const ABOVE_CAP: DeskRun = { run: 'run_01m84w7y2r', conversation: 'thread_8850' }
/** Nobody decided. */
export const UNDECIDED: DeskRun = { run: 'run_01m84b6q4e', conversation: 'thread_8822' }
/** The customer changed their mind. */
export const WITHDRAWN: DeskRun = { run: 'run_01m84wt9ad', conversation: 'thread_8853' }
/** The worker went away in the middle. */
export const LOST: DeskRun = { run: 'run_01m84x3m7z', conversation: 'thread_8857' }

export const REFUNDED_TASK = 'task_01m84s53rk'
export const ABOVE_CAP_TASK = 'task_01m84w7xq0'
export const WITHDRAWN_TASK = 'task_01m84wt95f'

export const REFUND_APPROVAL = 'apr_01m84s5936'
export const ABOVE_CAP_APPROVAL = 'apr_01m84w80pv'
export const UNDECIDED_APPROVAL = 'apr_01m84b6sj1'
export const WITHDRAWN_APPROVAL = 'apr_01m84wtcng'

export const REFUND_CALL = 'call_9f2KR'
export const UNCONFIRMED_CALL = 'call_c41Tz'
export const ABOVE_CAP_CALL = 'call_e77Qa'
export const UNDECIDED_CALL = 'call_a05Lm'
export const WITHDRAWN_CALL = 'call_f18Wx'

export const ESCALATION = 'esc_01m84vm8d5'

export const CUSTOMER = 'usr_5521'
export const APPROVER = 'usr_0017'

export const REFUND_BINDING = 'hmac-sha256:n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'

export const REFUND_TOOL: ValueOf<typeof TOOL.field> = {
  name: 'issue_refund',
  type: 'function',
  annotations: { destructive_hint: true, idempotent_hint: false, open_world_hint: true },
}

/** What joins an event to its run. */
export function inRun(id: IdOfMode, of: DeskRun, sequence: number): Pick<Envelope, 'run_id'> & Joined {
  return { run_id: id(of.run), conversation_id: id(of.conversation), sequence }
}

type Joined = Pick<Envelope, 'conversation_id' | 'sequence'>

export function customer(id: IdOfMode): { type: 'user'; id: string; display: string } {
  return { type: 'user', id: id(CUSTOMER), display: 'Dana Rivers' }
}
