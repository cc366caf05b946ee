/** What became of one place of the data. */
export interface SchemaChange {
  /** JSON Pointer into the data; `*` stands for elements and for members without a name of their own. */
  path: string
  kind: string
  verdict: 'additive' | 'breaking'
  /** For a person. */
  reason: string
}
