import type { EventDataByType } from '../../catalog/index.ts'
import type { Accepted } from '../../contract/index.ts'
import type { FactData } from '../fact.ts'
import type { ApprovalDecision, WaitOptions } from './decision.ts'

type Told = Promise<Accepted | null>
export type ApprovalEnd = 'approved' | 'denied' | 'expired' | 'cancelled'
type EndData<End extends ApprovalEnd> = FactData<`agent.approval.${End}`, 'approval_id' | 'tool_call_id'>

export interface ApprovalContext {
  approval_id: string
  input_binding: string | undefined
  tool_call_id: string | undefined
  published: Told
  wait(options: WaitOptions): Promise<ApprovalDecision>
  tell(type: keyof EventDataByType, data: object): Told
}

/** A request for a decision, and what becomes of it: one of four ends, told by the producer or by Runbell, never by both. */
export class Approval {
  readonly approval_id: string
  /** Proves that what was approved is what runs. Not there without an input or without `bindingKeys`. */
  readonly input_binding: string | undefined
  /** The request's own way. */
  readonly published: Told
  readonly #context: ApprovalContext

  constructor(context: ApprovalContext) {
    this.approval_id = context.approval_id
    this.input_binding = context.input_binding
    this.published = context.published
    this.#context = context
  }

  /**
   * Waits for the decision that is made through Runbell. An approval with a binding has to be for the same input.
   * @throws EmitError where the server refuses to say, and where the binding is for something else
   */
  wait(options: WaitOptions = {}): Promise<ApprovalDecision> {
    return this.#context.wait(options)
  }

  /** Tells a decision that was made on the producer's own page. */
  approved(data: EndData<'approved'>): Told {
    return this.#end('approved', { ...this.#binding(), ...data })
  }

  denied(data: EndData<'denied'>): Told {
    return this.#end('denied', data)
  }

  expired(data: EndData<'expired'>): Told {
    return this.#end('expired', data)
  }

  cancelled(data: EndData<'cancelled'> = {}): Told {
    return this.#end('cancelled', data)
  }

  #end(status: ApprovalEnd, data: object): Told {
    const { approval_id, tool_call_id } = this.#context
    const call = tool_call_id === undefined ? {} : { tool_call_id }
    return this.#context.tell(`agent.approval.${status}`, { approval_id, status, ...call, ...data })
  }

  #binding(): { input_binding?: string } {
    return this.input_binding === undefined ? {} : { input_binding: this.input_binding }
  }
}
