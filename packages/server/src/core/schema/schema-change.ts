/** What became of one place of the data. */
export interface SchemaChange {
  /** JSON Pointer into the data; `*` stands for elements and for members without a name of their own. */
  path: string
  kind: string
  verdict: 'additive' | 'breaking'
  /** A version may gain it without becoming another one: nothing that could be sent before is refused now. */
  in_place: boolean
  /** For a person. */
  reason: string
}

/** A change as it is found. */
export type FoundChange = Omit<SchemaChange, 'in_place'>
