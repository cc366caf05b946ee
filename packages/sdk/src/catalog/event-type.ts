/** What the catalog says of one built-in event type. */
export interface EventTypeFact {
  type: string
  /** Events of this type need a `run_id` and get a `sequence`; the others need a `task_id`. */
  runScoped: boolean
  /** One sentence: what happened. */
  fact: string
}
