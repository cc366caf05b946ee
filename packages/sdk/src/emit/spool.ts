/** An event as it is kept: what the server gets are the very bytes of `body`, whenever that is. */
export interface SpooledEvent {
  event_id: string
  type: string
  /** A once-only fact: being told that it is there already is a success. */
  once: boolean
  /** The JSON text of the event. */
  body: string
}

/** The oldest events of a spool, in order. */
export interface SpooledLot {
  events: readonly SpooledEvent[]
  /** They are published, or never will be: forget them. */
  done(): Promise<void>
}

/**
 * Keeps events while the server is away. `@runbell/sdk/node-spool` keeps them in files; another one, over IndexedDB or Deno's
 * KV, only needs these verbs. Events come out in the order they went in.
 */
export interface Spool {
  /** Called once, before anything else. Spools of several servers or modes must not mix: the scope tells them apart. */
  open(scope: string): void
  /** Resolves when they are kept. @throws where they cannot be kept, such as a full spool: then none of them is */
  append(events: readonly SpooledEvent[]): Promise<void>
  /** The oldest lot, which nobody else gets meanwhile; `null` where there is none. */
  next(): Promise<SpooledLot | null>
  /** Resolves when nothing is being written any more. What is kept stays. */
  close(): Promise<void>
  /** Gets the events that were kept for too long and are forgotten. Set before `open`. */
  onExpired?: (event: Pick<SpooledEvent, 'event_id' | 'type'>) => void
}
