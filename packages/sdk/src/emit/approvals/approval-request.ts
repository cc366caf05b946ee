import type { EventDataByType, Tool } from '../../catalog/index.ts'
import type { EmitInput } from '../emit-input.ts'

type Requested = EventDataByType['agent.approval.requested']
type FilledIn = 'approval_id' | 'status' | 'kind' | 'options' | 'input_binding' | 'tool' | 'input'

/** What is to be decided. */
export interface RunApprovalRequest extends Omit<Requested, FilledIn> {
  /** @default a new `apr_…` */
  approval_id?: string
  /** @default `tool_call` where there is a tool, else `confirmation` */
  kind?: Requested['kind']
  /** @default approve and deny */
  options?: Requested['options']
  /** The tool that would be called: what it says of itself, or its name. */
  tool?: Tool | string
  /** What the tool would be called with: `input_binding` is made over it. Not told unless `include_input` says so. */
  input?: unknown
  /** Tells the input, too, to endpoints with the grant `tool_input`. @default false */
  include_input?: boolean
}

type Joins = 'agent' | 'tenant_id' | 'conversation_id' | 'task_id' | 'trace_id' | 'traceparent' | 'metadata'

export interface ApprovalRequest extends RunApprovalRequest, Partial<Pick<EmitInput, Joins>> {
  run_id: string
}
