import { EmitError } from '../emit-error.ts'
import { newProducerId } from '../event-id.ts'
import { inputBinding, isBoundTo, type BoundInput } from '../input-binding.ts'
import type { RunbellSettings } from '../options.ts'
import type { Emit } from '../fact.ts'
import { Approval } from './approval.ts'
import type { ApprovalRequest } from './approval-request.ts'
import type { ApprovalDecision, WaitOptions } from './decision.ts'
import { waitForDecision } from './wait-for-decision.ts'

export interface ApprovalWaitOptions extends WaitOptions {
  /** Needed where the key is bound to no tenant and the approval is not of `default`. */
  tenant_id?: string | undefined
  /** What is about to run: an approval has to be for that. */
  bound?: Omit<BoundInput, 'approval_id'> | undefined
}

/** Asks for decisions of people and waits for them. */
export class Approvals {
  readonly #settings: RunbellSettings
  readonly #emit: Emit

  constructor(settings: RunbellSettings, emit: Emit) {
    this.#settings = settings
    this.#emit = emit
  }

  /** Tells that a decision is needed (`agent.approval.requested`). Waits for nothing. */
  request(request: ApprovalRequest): Approval {
    const { run_id, agent, tenant_id, conversation_id, task_id, trace_id, traceparent, metadata, ...asked } = request
    const joins = { run_id, agent, tenant_id, conversation_id, task_id, trace_id, traceparent, metadata }
    const envelope = Object.fromEntries(Object.entries(joins).filter(([, value]) => value !== undefined))
    const { mode, now } = this.#settings
    const approvalId = asked.approval_id ?? newProducerId('approval', mode, now())
    const bound = boundOf(approvalId, asked)
    const binding = this.#bindingOf(bound)
    const once = { child_id: approvalId }
    const tell = (type: string, data: object) => this.#emit(type, { ...envelope, data }, { once })
    return new Approval({
      approval_id: approvalId,
      input_binding: binding,
      tool_call_id: asked.tool_call_id,
      published: tell('agent.approval.requested', requestedData(approvalId, asked, binding)),
      wait: (options) =>
        this.wait(approvalId, { tenant_id, ...options, bound: binding === undefined ? undefined : bound }),
      tell,
    })
  }

  /**
   * Waits for a decision that is made through Runbell, by long polling; faults of the network prolong the wait. Needs a key
   * with scope `read`.
   * @throws EmitError where the server refuses to say (no such approval, no such right), and `input_binding_mismatch` where it
   * was approved for something else than `bound`
   */
  async wait(approvalId: string, options: ApprovalWaitOptions = {}): Promise<ApprovalDecision> {
    const { bound } = options
    if (bound !== undefined) this.#needKeys()
    const decision = await waitForDecision(approvalId, options, this.#settings)
    if (decision.status !== 'approved' || bound === undefined) return decision
    if (this.isBoundTo({ ...bound, approval_id: approvalId }, decision.input_binding)) return decision
    const message = `Approval ${approvalId} was given for another input, or does not say for which.`
    const fix = 'Do not run it: ask again for the input that is to run.'
    throw new EmitError({ code: 'input_binding_mismatch', message, fix, retryable: false })
  }

  /** The binding of an input, made with the first of the `bindingKeys`. @throws EmitError without one */
  bindingOf(bound: BoundInput): string {
    this.#needKeys()
    return inputBinding(this.#settings.bindingKeys[0] as Uint8Array, bound)
  }

  /** Whether a binding is for this input, made with any of the `bindingKeys`. @throws EmitError without one */
  isBoundTo(bound: BoundInput, binding: unknown): boolean {
    this.#needKeys()
    return isBoundTo(this.#settings.bindingKeys, bound, binding)
  }

  #bindingOf(bound: BoundInput): string | undefined {
    const [key] = this.#settings.bindingKeys
    if (key === undefined || bound.input === undefined) return undefined
    try {
      return inputBinding(key, bound)
    } catch {
      // Not JSON. Nothing is thrown into the agent; without a binding the request still says what is asked.
      return undefined
    }
  }

  #needKeys(): void {
    if (this.#settings.bindingKeys.length > 0) return
    const message = 'An input_binding is made with a secret of your own, and there is none.'
    const fix = 'Set bindingKeys: a random secret of 24 bytes or more that all your executors share.'
    throw new EmitError({ code: 'binding_key_missing', message, fix, retryable: false })
  }
}

type Asked = Omit<ApprovalRequest, 'run_id'>

function boundOf(approvalId: string, { tool_call_id, tool, input }: Asked): BoundInput {
  const name = typeof tool === 'string' ? tool : tool?.name
  return { approval_id: approvalId, tool_call_id, tool: name, input }
}

function requestedData(approvalId: string, asked: Asked, binding: string | undefined): object {
  const { tool, input, include_input: includeInput, kind, options, approval_id: _id, ...rest } = asked
  return {
    approval_id: approvalId,
    status: 'pending',
    kind: kind ?? (tool === undefined ? 'confirmation' : 'tool_call'),
    options: options ?? ['approve', 'deny'],
    ...(tool === undefined ? {} : { tool: typeof tool === 'string' ? { name: tool } : tool }),
    ...(binding === undefined ? {} : { input_binding: binding }),
    // Fails closed: who says until when says, too, that nothing happens after that.
    ...(rest.expires_at === undefined ? {} : { on_expiry: 'deny' }),
    ...rest,
    ...(includeInput === true && input !== undefined ? { input } : {}),
  }
}
