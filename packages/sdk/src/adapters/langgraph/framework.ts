/** What is used of `@langchain/langgraph` 1.7: structural, so that nothing of it is imported. */

/** What marks a handler as one that hears of interrupts; a registered symbol, the same in every copy of the framework. */
export const GRAPH_HANDLER: unique symbol = Symbol.for('langgraph.graph_callback_handler') as never

export interface InterruptLike {
  id?: string
  value?: unknown
}

/** A graph went on from a checkpoint, or paused at one. */
export interface CheckpointEventLike {
  checkpointId: string
  /** Empty for the root graph. */
  checkpointNs: readonly string[]
}

export interface InterruptEventLike extends CheckpointEventLike {
  readonly interrupts: readonly InterruptLike[]
}

/** What a run is called with to go on. */
export interface CommandLike {
  lg_name?: unknown
  resume?: unknown
}
